"""OpenAI's error answers, and the one table from our errors to them."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.api.problems import RETRY_AFTER_SECONDS, without_room
from app.domain import errors
from app.domain.errors import LuthierError

# 409 is left to nobody: OpenAI's SDK repeats what is answered with it, to no avail.
STATUS: Mapping[type[LuthierError], int] = {
    errors.Invalid: 400,
    errors.TooLarge: 413,
    errors.NotFound: 404,
    errors.Conflict: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.TooManyRequests: 429,
    errors.Unavailable: 503,
}
"""The nearest class in an error's family decides."""

_CODES: Mapping[type[LuthierError], str] = {
    errors.Unauthorized: "invalid_api_key",
    errors.JobNotFound: "fine_tune_not_found",
    errors.TooManyRequests: "rate_limit_exceeded",
}
"""Where OpenAI has a code of its own; the others keep ours."""

_PARAMS: Mapping[str, str] = {
    "base_model": "model",
    "dataset": "training_file",
    "validation_dataset": "validation_file",
    "name": "suffix",
    "tags": "metadata",
}
"""What OpenAI calls the fields of ours that faults point to."""

_VALIDATION_CODES: Mapping[str, str] = {
    "missing": "missing_required_parameter",
    "extra_forbidden": "unknown_parameter",
}


class RefusalOut(BaseModel):
    """Why a request was refused."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorOut(BaseModel):
    """OpenAI's error answer."""

    error: RefusalOut


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation, for the door's description."""
    return {
        status: {"description": HTTPStatus(status).phrase, "model": ErrorOut}
        for status in sorted({*statuses, 401, 403, 429, 503})
    }


def install(door: FastAPI) -> None:
    """Let every refusal of the door leave in OpenAI's shape."""
    door.add_exception_handler(LuthierError, _refused)
    door.add_exception_handler(OSError, _failed)
    door.add_exception_handler(RequestValidationError, _malformed)
    door.add_exception_handler(HTTPException, _http)


def refusal(request_id: str, error: LuthierError) -> Response:
    """The answer to one of our errors; the gate gives the request's id in a header."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    param = error.faults[0].pointer if error.faults else None
    return _answer(
        status,
        error.detail,
        param=None if param is None else _param(param),
        code=code_of(error),
        headers=headers,
    )


def accident(request_id: str) -> Response:
    """The answer when it was our fault; the log has the rest under the request's id."""
    return _answer(500, f"Something went wrong here. The log has it under {request_id}.")


def code_of(error: LuthierError) -> str:
    """The stable code of one of our errors."""
    return _CODES.get(type(error), error.code)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LuthierError)
    return refusal(request.state.request_id, error)


async def _failed(request: Request, error: Exception) -> Response:
    return refusal(request.state.request_id, without_room(error))


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = error.errors()[0]
    param = ".".join(str(part) for part in wrong["loc"][1:])
    return _answer(
        400,
        f"{param}: {wrong['msg']}" if param else str(wrong["msg"]),
        param=param or None,
        code=_VALIDATION_CODES.get(wrong["type"], "invalid_value"),
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = str(error.detail)
    if error.status_code in (404, 405):
        message = f"Invalid URL ({request.method} {request.url.path})"
    return _answer(error.status_code, message, headers=error.headers)


def _answer(
    status: int,
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Response(
        msgspec.json.encode(body),
        status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def _param(pointer: str) -> str:
    """`/method/hyperparameters/epochs` as `method.hyperparameters.n_epochs`."""
    first, *rest = pointer.removeprefix("/").split("/")
    named = ".".join([_PARAMS.get(first, first), *rest])
    return re.sub(r"\bepochs$", "n_epochs", named)
