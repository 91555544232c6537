"""The operations of Vertex AI and Cloud Storage that are simulated, each with what it takes."""

from typing import Any

from google.cloud import aiplatform_v1 as v1
from pydantic import BaseModel, ConfigDict, Field

from app.sandbox.frame.operations import Operation
from app.sandbox.vertex import messages, tokens
from app.sandbox.vertex.account import Account

_PARENT = "/projects/{projectsId}/locations/{locationsId}"
JOBS = f"{_PARENT}/tuningJobs"
_JOB = f"{JOBS}/{{tuningJobsId}}"
_ENDPOINT = f"{_PARENT}/endpoints/{{endpointsId}}"
_MODEL = f"{_PARENT}/models/{{modelsId}}"
_PUBLISHED = f"{_PARENT}/publishers/google/models/{{modelsId}}"
GENERATE = f"{_ENDPOINT}:generateContent"
_BUCKET = "/storage/v1/b/{bucket}"
_UPLOAD = "/upload/storage/v1/b/{bucket}/o"

_OBJECT = dict[str, Any]
"""Answers that Google's libraries read without a type of their own."""

STANDARD = frozenset({"alt", "$alt", "prettyPrint", "$prettyPrint", "key", "fields"})
"""Parameters that every method of Google's takes."""


class Query(BaseModel):
    """The standard parameters."""

    model_config = ConfigDict(extra="forbid")

    alt: str | None = None
    dollar_alt: str | None = Field(None, alias="$alt")
    pretty: str | None = Field(None, alias="prettyPrint")
    key: str | None = None
    fields: str | None = None


class ListQuery(Query):
    """Those of a list of tuning jobs."""

    filter: str | None = None
    page_size: int | None = Field(None, alias="pageSize")
    page_token: str | None = Field(None, alias="pageToken")


class ObjectQuery(Query):
    """Those of one object, or of a bucket."""

    projection: str | None = None
    generation: str | None = None
    if_generation: str | None = Field(None, alias="ifGenerationMatch")


class ObjectsQuery(Query):
    """Those of a list of objects."""

    prefix: str | None = None
    projection: str | None = None
    page_token: str | None = Field(None, alias="pageToken")
    most: int | None = Field(None, alias="maxResults")


class UploadQuery(Query):
    """Those of an upload."""

    upload_type: str = Field(alias="uploadType")
    upload_id: str | None = None
    name: str | None = None
    if_generation: str | None = Field(None, alias="ifGenerationMatch")


class UploadResource(BaseModel):
    """What a session begins with: an object's own fields, as far as they may be set."""

    model_config = ConfigDict(extra="forbid")

    name: str
    content_type: str | None = Field(None, alias="contentType")
    crc32c: str | None = None


def operations(account: Account) -> list[Operation]:
    """All of them."""
    return [
        *_of_version("/v1", account, job=messages.JOB, jobs=messages.JOBS),
        *_of_version("/v1beta1", account, job=messages.BETA_JOB, jobs=_OBJECT),
        *_registry(account),
        *_storage(account),
        Operation("POST", tokens.PATH, account.tokens.grant, answer=_OBJECT),
    ]


def _of_version(version: str, account: Account, *, job: object, jobs: object) -> list[Operation]:
    kept, answers = account.jobs, account.answers
    asking = [
        (f"{version}{place}:{verb}", handle, answer)
        for place in (_ENDPOINT, _PUBLISHED)
        for verb, handle, answer in (
            ("generateContent", answers.generate, messages.ANSWER),
            ("streamGenerateContent", answers.stream, list[messages.ANSWER]),
        )
    ]
    return [
        Operation("POST", f"{version}{JOBS}", kept.create, query=Query, body=job, answer=job),
        Operation("GET", f"{version}{JOBS}", kept.list, query=ListQuery, answer=jobs),
        Operation("GET", f"{version}{_JOB}", kept.get, query=Query, answer=job),
        Operation(
            "POST",
            f"{version}{_JOB}:cancel",
            kept.cancel,
            query=Query,
            body=messages.declared(v1.CancelTuningJobRequest),
            answer=_OBJECT,
        ),
        *(
            Operation(
                "POST",
                path,
                handle,
                query=Query,
                body=messages.QUESTION,
                answer=answer,
                piece=messages.ANSWER,
            )
            for path, handle, answer in asking
        ),
    ]


def _registry(account: Account) -> list[Operation]:
    registry = account.registry
    model, endpoint = f"/v1{_MODEL}", f"/v1{_ENDPOINT}"
    return [
        Operation(
            "GET", model, registry.get_model, query=Query, answer=messages.declared(v1.Model)
        ),
        Operation("DELETE", model, registry.delete_model, query=Query, answer=_OBJECT),
        Operation(
            "GET",
            endpoint,
            registry.get_endpoint,
            query=Query,
            answer=messages.declared(v1.Endpoint),
        ),
        Operation("DELETE", endpoint, registry.delete_endpoint, query=Query, answer=_OBJECT),
        Operation(
            "POST",
            f"{endpoint}:undeployModel",
            registry.undeploy,
            query=Query,
            body=messages.declared(v1.UndeployModelRequest),
            answer=_OBJECT,
        ),
        *(
            Operation(
                "GET",
                f"{place}/operations/{{operationsId}}",
                registry.look,
                query=Query,
                answer=_OBJECT,
            )
            # Google's own libraries ask below /ui, by the first of the rules that it publishes.
            for place in (model, endpoint, f"/ui{_MODEL}", f"/ui{_ENDPOINT}")
        ),
    ]


def _storage(account: Account) -> list[Operation]:
    storage = account.storage
    one = f"{_BUCKET}/o/{{object:path}}"
    return [
        Operation("GET", _BUCKET, storage.bucket, query=ObjectQuery, answer=_OBJECT),
        Operation(
            "POST",
            _UPLOAD,
            storage.insert,
            query=UploadQuery,
            body=UploadResource | None,
            answer=_OBJECT,
        ),
        Operation("PUT", _UPLOAD, storage.go_on, query=UploadQuery, answer=_OBJECT),
        Operation("GET", f"{_BUCKET}/o", storage.list, query=ObjectsQuery, answer=_OBJECT),
        *(
            Operation("GET", path, storage.get, query=ObjectQuery, answer=_OBJECT)
            # Google's own library reads the bytes below /download.
            for path in (one, f"/download{one}")
        ),
        Operation("DELETE", one, storage.delete, query=ObjectQuery),
    ]
