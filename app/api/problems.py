"""Problem answers (RFC 9457), and the one table from error to HTTP status."""

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.api.shapes import is_variant
from app.domain import errors
from app.domain.errors import Fault, LuthierError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[LuthierError], int] = {
    errors.Invalid: 422,
    errors.TooLarge: 413,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
}
"""The nearest class in an error's family decides."""

RETRY_AFTER_SECONDS = 5

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_HTTP_CODES = {
    400: "bad_request",
    404: "route_not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "media_type_not_supported",
}


class FaultOut(BaseModel):
    """One of several things that are wrong."""

    code: str
    message: str
    pointer: str | None = Field(default=None, description="Where in the body, as a JSON pointer.")
    line: int | None = Field(default=None, description="Which line of the file, from 1.")


class Problem(BaseModel):
    """Why a request was refused; `code` is stable."""

    type: str = Field(examples=["https://luthier.dev/problems/job_not_found"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["job_not_found"])
    request_id: str
    errors: list[FaultOut] = []
    error_count: int | None = Field(default=None, description="How many there are in all.")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation, for its description."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, 401, 403, 429, 503})
    }


def describe(schema: dict[str, Any]) -> None:
    """Name the problem answer in an OpenAPI description, instead of FastAPI's own errors."""
    components = schema["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    shape = Problem.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    components |= shape.pop("$defs") | {"Problem": shape}
    schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    # Where no key is configured none is needed.
    schema["security"] = [{"key": []}, {}]
    default = {"$ref": "#/components/schemas/HTTPValidationError"}
    for operation in (one for path in schema["paths"].values() for one in path.values()):
        for status, given in list(operation["responses"].items()):
            if given.get("content", {}).get("application/json", {}).get("schema") == default:
                operation["responses"][status] = responses(int(status))[int(status)]
        if "requestBody" in operation:
            # Before anything is looked at: a body that cannot be read, or is too large for any.
            for status in (400, 413):
                operation["responses"].setdefault(str(status), responses(status)[status])


def install(app: FastAPI) -> None:
    """Let every refusal and every accident leave as a problem answer."""
    app.add_exception_handler(LuthierError, _refused)
    app.add_exception_handler(OSError, _failed)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)


def problem(
    request_id: str,
    *,
    status: int,
    code: str,
    detail: str,
    faults: tuple[Fault, ...] = (),
    fault_count: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem answer."""
    body: dict[str, Any] = {
        "type": f"https://luthier.dev/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    if faults:
        body["errors"] = faults
    if fault_count is not None:
        body["error_count"] = fault_count
    return Response(
        msgspec.json.encode(body), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def refusal(request_id: str, error: LuthierError) -> Response:
    """The problem answer to one of our errors."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = {
        401: {"WWW-Authenticate": "Bearer"},
        503: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    }.get(status)
    return problem(
        request_id,
        status=status,
        code=error.code,
        detail=error.detail,
        faults=error.faults,
        fault_count=error.fault_count,
        headers=headers,
    )


def without_room(error: Exception) -> LuthierError:
    """The refusal where the disk is full; any other error of the system is raised again."""
    if not isinstance(error, OSError) or error.errno not in _NO_ROOM:
        raise error
    log.error("storage_full", problem=str(error))
    return errors.StorageFull(
        "The disk of the service has no room left, and nothing of the request was kept. Its "
        "operator has to make room in the data directory."
    )


def accident(request_id: str) -> Response:
    """The answer when it was our fault; the log has the rest under the request's id."""
    detail = "Something went wrong here. The log has it under this request_id."
    return problem(request_id, status=500, code="internal_error", detail=detail)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LuthierError)
    return refusal(request.state.request_id, error)


async def _failed(request: Request, error: Exception) -> Response:
    return refusal(request.state.request_id, without_room(error))


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = tuple(
        Fault(str(wrong["type"]), str(wrong["msg"]), _pointer(wrong["loc"]))
        for wrong in error.errors()[:100]
    )
    first = f"{faults[0].pointer}: {faults[0].message}" if faults else "The request is malformed."
    return problem(
        request.state.request_id,
        status=422,
        code="invalid_request",
        detail=first,
        faults=faults,
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(
        request.state.request_id,
        status=error.status_code,
        code=_HTTP_CODES.get(error.status_code, "http_error"),
        detail=str(error.detail),
        headers=error.headers,
    )


def _pointer(location: tuple[int | str, ...]) -> str:
    """`/method/type` for the body, `query/limit` for what stands elsewhere."""
    place, *rest = (step for step in location if not is_variant(step))
    path = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    return f"/{path}" if place == "body" else f"{place}/{path}"
