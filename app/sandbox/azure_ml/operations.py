"""The operations that are simulated: Resource Manager's, the run history's, blob storage's."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from app.sandbox.azure_ml.account import Account
from app.sandbox.azure_ml.identity import WORKSPACE
from app.sandbox.azure_ml.storage import CONTAINER
from app.sandbox.frame.operations import Operation

JOB = f"{WORKSPACE}/jobs/{{id}}"
MODELS = f"{WORKSPACE}/models/{{name}}/versions"
MODEL = f"{MODELS}/{{version}}"
DATA = f"{WORKSPACE}/data/{{name}}/versions/{{version}}"
ENVIRONMENT = f"{WORKSPACE}/environments/{{name}}/versions/{{version}}"
BLOB = f"/blobs/{CONTAINER}/{{blob:path}}"

_Version = TypedDict("_Version", {"api-version": str})
_JobsQuery = TypedDict(
    "_JobsQuery",
    {
        "api-version": str,
        "$skip": NotRequired[str],
        "jobType": NotRequired[str],
        "tag": NotRequired[str],
        "listViewType": NotRequired[str],
    },
)
_DatastoresQuery = TypedDict(
    "_DatastoresQuery",
    {
        "api-version": str,
        "isDefault": NotRequired[str],
        "count": NotRequired[str],
        "orderByAsc": NotRequired[str],
    },
)


class DataInput(TypedDict):
    """A file, a folder or a model that a job reads."""

    jobInputType: Literal["uri_file", "uri_folder", "mlflow_model", "custom_model"]
    uri: str
    mode: NotRequired[str]


class DataOutput(TypedDict):
    """What a job leaves; with an asset name it is registered."""

    jobOutputType: Literal["uri_file", "uri_folder", "mlflow_model", "custom_model"]
    uri: NotRequired[str]
    mode: NotRequired[Literal["ReadWriteMount", "Upload", "Direct"]]
    assetName: NotRequired[str]


class FineTuningDetails(TypedDict):
    """A custom model's fine-tuning; other model providers are not simulated."""

    modelProvider: Literal["Custom"]
    taskType: Literal["chatCompletion", "ChatCompletion"]
    model: DataInput
    trainingData: DataInput
    validationData: NotRequired[DataInput]
    hyperParameters: NotRequired[dict[str, str]]


class _Base(TypedDict):
    computeId: str
    displayName: NotRequired[str]
    experimentName: NotRequired[str]
    tags: NotRequired[dict[str, str]]
    properties: NotRequired[dict[str, str]]
    isArchived: NotRequired[bool]


class FineTuningJob(_Base):
    """A job of the kind `FineTuning`."""

    jobType: Literal["FineTuning"]
    fineTuningDetails: FineTuningDetails
    outputs: dict[str, DataOutput]


class CommandJob(_Base):
    """A job of the kind `Command`."""

    jobType: Literal["Command"]
    command: str
    environmentId: str
    environmentVariables: NotRequired[dict[str, str]]
    inputs: NotRequired[dict[str, DataInput]]
    outputs: NotRequired[dict[str, DataOutput]]


class PutJob(TypedDict):
    """The body of a put."""

    properties: FineTuningJob | CommandJob


class FileAsset(TypedDict):
    """A file under a name; folders and tables are not simulated."""

    dataType: Literal["uri_file"]
    dataUri: str
    description: NotRequired[str]
    tags: NotRequired[dict[str, str]]
    properties: NotRequired[dict[str, str]]
    isAnonymous: NotRequired[bool]
    isArchived: NotRequired[bool]


class PutData(TypedDict):
    """The body of a put."""

    properties: FileAsset


def operations(account: Account) -> list[Operation]:
    """All of them."""
    return [*_job_operations(account), *_asset_operations(account), *_blob_operations(account)]


def _job_operations(account: Account) -> list[Operation]:
    jobs = account.jobs
    history = f"/history/v1.0{WORKSPACE}/runs/{{id}}/details"
    return [
        Operation("PUT", JOB, jobs.put, query=_Version, body=PutJob, answer=Any),
        Operation("GET", JOB, jobs.get, query=_Version, answer=Any),
        Operation("GET", f"{WORKSPACE}/jobs", jobs.list, query=_JobsQuery, answer=Any),
        Operation("POST", f"{JOB}/cancel", jobs.cancel, query=_Version),
        Operation("GET", history, jobs.details, answer=Any),
    ]


def _asset_operations(account: Account) -> list[Operation]:
    workspace, data, models = account.workspace, account.data, account.models
    datastores = f"{WORKSPACE}/datastores"
    return [
        Operation("GET", WORKSPACE, workspace.get, query=_Version, answer=Any),
        Operation("GET", datastores, workspace.datastores, query=_DatastoresQuery, answer=Any),
        Operation("GET", f"{datastores}/{{name}}", workspace.datastore, query=_Version, answer=Any),
        Operation(
            "PUT",
            ENVIRONMENT,
            workspace.put_environment,
            query=_Version,
            body=dict[str, Any],
            answer=Any,
        ),
        Operation("PUT", DATA, data.put, query=_Version, body=PutData, answer=Any),
        Operation("GET", DATA, data.get, query=_Version, answer=Any),
        Operation("GET", MODEL, models.get, query=_Version, answer=Any),
        Operation("GET", MODELS, models.list, query=_Version, answer=Any),
        Operation("DELETE", MODEL, models.delete, query=_Version),
    ]


def _blob_operations(account: Account) -> list[Operation]:
    storage = account.storage
    return [
        Operation("GET", f"/blobs/{CONTAINER}", storage.list, query=dict[str, str]),
        Operation("GET", BLOB, storage.get, query=dict[str, str]),
        Operation("PUT", BLOB, storage.put, query=dict[str, str]),
        Operation("DELETE", BLOB, storage.delete, query=dict[str, str]),
    ]
