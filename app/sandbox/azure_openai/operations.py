"""The operations of Azure OpenAI that are simulated: two surfaces, and Resource Manager's part."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal, Required

from openai.types import chat, fine_tuning
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.fine_tuning import JobCreateParams
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from app.sandbox.azure_openai import dated
from app.sandbox.azure_openai.account import AzureAccount
from app.sandbox.frame.exchange import Asked, Reply
from app.sandbox.frame.operations import Operation
from app.sandbox.openai import operations as openai

V1 = "/openai/v1"
DATED = "/openai"
ARM = "/subscriptions"

_JOBS = "/fine_tuning/jobs"
_JOB = "/fine_tuning/jobs/{fine_tuning_job_id}"
_CHAT = "/chat/completions"
_DEPLOYMENTS = (
    "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
    "/providers/Microsoft.CognitiveServices/accounts/{accountName}/deployments"
)


class Job(fine_tuning.FineTuningJob):
    """A job of the v1 surface."""

    status: Literal[  # pyright: ignore[reportIncompatibleVariableOverride] - more words
        "pending", "validating_files", "queued", "running", "succeeded", "failed", "cancelled"
    ]
    user_provided_suffix: str | None = None


class JobPage(openai.JobPage):
    """A page of them."""

    data: list[Job]  # pyright: ignore[reportIncompatibleVariableOverride] - narrower


class NewJob(JobCreateParams, total=False):
    """A create on the v1 surface."""

    trainingType: str


class Pages(TypedDict, total=False):
    """The query of a list of jobs on the v1 surface, which knows no filter."""

    after: str
    limit: int


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DatedHyperparameters(_Strict):
    """Numbers only."""

    n_epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None


class DatedJob(_Strict):
    """A create on the dated surface."""

    model: str
    training_file: str
    validation_file: str | None = None
    hyperparameters: DatedHyperparameters = DatedHyperparameters()
    suffix: str | None = None
    seed: int | None = None


class DatedQuery(_Strict):
    """The version, which the dated surface insists on."""

    api_version: Literal["2024-10-21"] = Field(alias="api-version")


class DatedFiles(DatedQuery):
    """The query of a list of files."""

    purpose: str | None = None


class DatedPages(DatedQuery):
    """The query of a list of jobs, events or checkpoints."""

    after: str | None = None
    limit: int | None = None


class ArmQuery(_Strict):
    """Resource Manager's version."""

    api_version: str = Field(alias="api-version")


class Sku(TypedDict, total=False):
    """What is paid for."""

    name: Required[str]
    capacity: int


class ServedModel(TypedDict, total=False):
    """Which model."""

    format: Required[Literal["OpenAI"]]
    name: Required[str]
    version: Required[str]
    source: str
    sourceAccount: str


class DeploymentProperties(TypedDict):
    """What is served."""

    model: ServedModel


class NewDeployment(TypedDict):
    """A deployment as it is asked for."""

    sku: Sku
    properties: DeploymentProperties


def operations(account: AzureAccount) -> list[Operation]:
    """All of them; the v1 surface first, whose paths the dated one would take for its own."""
    return [*_v1(account), *_dated(account), *_arm(account)]


def _v1(account: AzureAccount) -> Iterator[Operation]:
    """OpenAI's, but for what Azure does otherwise."""
    jobs: dict[tuple[str, str], dict[str, Any]] = {
        ("POST", _JOBS): {"handle": account.create_job, "body": NewJob, "answer": Job},
        ("GET", _JOBS): {"query": Pages, "answer": JobPage},
        ("GET", _JOB): {"answer": Job},
        ("POST", f"{_JOB}/pause"): {"answer": Job},
        ("POST", f"{_JOB}/resume"): {"answer": Job},
        ("POST", f"{_JOB}/cancel"): {"answer": Job},
        ("POST", _CHAT): {"handle": account.ask},
    }
    for one in openai.operations(account):
        if (one.method, one.path) != ("DELETE", "/models/{model}"):
            changed = jobs.get((one.method, one.path), {})
            yield replace(one, path=V1 + one.path, **changed)


def _dated(account: AzureAccount) -> list[Operation]:
    jobs, files = account.jobs, account.files
    told, paged = dated.told, dated.paged
    return [
        _of("POST", "/files", told(files.create, dated.file, status=201), body=openai.FileForm),
        _of("GET", "/files", told(files.list, dated.files), query=DatedFiles),
        _of("GET", "/files/{file_id}", told(files.retrieve, dated.file)),
        _of("DELETE", "/files/{file_id}", told(files.delete, dated.file)),
        _of("GET", "/files/{file_id}/content", files.content),
        _of("POST", _JOBS, told(account.create_job, dated.job, status=201), body=DatedJob),
        _of("GET", _JOBS, told(jobs.list, paged(dated.job)), query=DatedPages),
        _of("GET", _JOB, told(jobs.retrieve, dated.job)),
        _of("DELETE", _JOB, account.delete_job),
        _of("POST", f"{_JOB}/cancel", told(jobs.cancel, dated.job)),
        _of("GET", f"{_JOB}/events", told(jobs.events, paged(dated.event)), query=DatedPages),
        _of(
            "GET",
            f"{_JOB}/checkpoints",
            told(jobs.checkpoints, paged(dated.checkpoint)),
            query=DatedPages,
        ),
        _of("GET", "/models/{model}", account.get_model),
        _of("GET", "/models", account.list_models),
        Operation(
            "POST",
            f"{DATED}/deployments/{{deployment}}{_CHAT}",
            account.ask,
            query=DatedQuery,
            body=CompletionCreateParams,
            answer=chat.ChatCompletion,
            piece=chat.ChatCompletionChunk,
        ),
    ]


def _of(
    method: str,
    path: str,
    handle: Callable[[Asked], Reply],
    *,
    query: Any = DatedQuery,
    body: Any = None,
) -> Operation:
    return Operation(method, DATED + path, handle, query=query, body=body, answer=dict[str, Any])


def _arm(account: AzureAccount) -> list[Operation]:
    kept = account.deployments
    one = f"{_DEPLOYMENTS}/{{deploymentName}}"
    given: dict[str, Any] = {"query": ArmQuery, "answer": dict[str, Any]}
    return [
        Operation("GET", _DEPLOYMENTS, kept.list, **given),
        Operation("PUT", one, kept.put, body=NewDeployment, **given),
        Operation("GET", one, kept.get, **given),
        Operation("DELETE", one, kept.delete, **given),
    ]
