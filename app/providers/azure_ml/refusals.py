"""Azure's errors as the three words of a provider; what is in no table stays as it was raised.

An error that is raised on means that nobody knows what came of the request.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx
import msgspec

from app.domain.errors import Later, ModelUnavailable, Never, RateLimited, Steer, YourTurn

RETRY_SECONDS = 60.0

UNREACHABLE_SECONDS = 30.0

_UNSENT = 0
_INVALID = 400
_UNAUTHENTICATED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_TOO_MANY = 429
_REFUSED = range(400, 500)
_AMBIGUOUS = frozenset({408, 409})
"""4xx that do not say whether the request had its effect."""


class Said(msgspec.Struct, frozen=True):
    """An answer that is no: the HTTP status (0 for what was never sent), and Azure's words."""

    status: int
    message: str
    retry_after: float | None = None


@contextmanager
def staging() -> Generator[None]:
    """Putting files into the workspace's storage: no job exists yet, so nothing is unclear."""
    try:
        yield
    except Steer:
        raise
    except Exception as error:
        said = heard(error)
        if said is None:
            message = f"The workspace's storage cannot be written ({type(error).__name__})."
            raise Later(message, retry_after=UNREACHABLE_SECONDS) from error
        _steer(said, error)
        if said.status == _NOT_FOUND:
            _ask(error, f"Azure ML finds no such workspace or storage: {said.message}")
        if _is_no(said):
            raise Never(
                f"The workspace's storage refuses the file: {said.message}",
                code="provider_refused",
                hint="Change what Azure names, then retry the job.",
            ) from error
        wait = said.retry_after or UNREACHABLE_SECONDS
        message = f"The workspace's storage cannot be written: {said.message}"
        raise Later(message, retry_after=wait) from error


@contextmanager
def creating() -> Generator[None]:
    """Creating a job; only a clear no is a word, the rest is unclear."""
    try:
        yield
    except Steer:
        raise
    except Exception as error:
        said = heard(error)
        if said is None:
            raise
        _steer(said, error)
        if _is_no(said):
            raise Never(
                f"Azure ML refuses the job: {said.message}",
                code="provider_refused",
                hint="Change what Azure names, or the base model, and create a new job.",
            ) from error
        raise


@contextmanager
def looking() -> Generator[None]:
    """Looking at a job, or telling it to end; where nobody answers, nothing is said of it."""
    try:
        yield
    except Steer:
        raise
    except Exception as error:
        said = heard(error)
        if said is None or said.status == _UNSENT:
            raise
        _steer(said, error)
        if said.status == _NOT_FOUND:
            raise Never(f"Azure ML knows the job no more: {said.message}", code="run_lost") from (
                error
            )
        raise


@contextmanager
def removing() -> Generator[None]:
    """Removing what a training left; whatever goes wrong, it can be tried again."""
    try:
        yield
    except Steer:
        raise
    except Exception as error:
        said = heard(error)
        reason = said.message if said else type(error).__name__
        raise ModelUnavailable(f"Azure ML cannot remove the model now: {reason}") from error


def heard(error: Exception) -> Said | None:
    """What Azure said in an error of one of its libraries; None where nothing was said."""
    # They were imported by whoever raised: nothing is loaded here that was not.
    from azure.ai.ml.exceptions import ValidationException
    from azure.core.exceptions import (
        ClientAuthenticationError,
        HttpResponseError,
        ServiceRequestError,
    )

    if isinstance(error, ServiceRequestError):
        return Said(_UNSENT, f"it cannot be reached ({error.message})"[:300])
    if isinstance(error, HttpResponseError) and error.status_code is not None:
        return Said(error.status_code, _words(error), _patience(error))
    if isinstance(error, ClientAuthenticationError):
        return Said(_UNAUTHENTICATED, str(error.message))
    if isinstance(error, ValidationException):
        # The SDK itself found the request wanting; nothing was sent.
        return Said(_INVALID, str(error.message))
    if isinstance(error, httpx.HTTPStatusError):
        return Said(error.response.status_code, error.response.reason_phrase)
    if isinstance(error, httpx.ConnectError):
        return Said(_UNSENT, f"it cannot be reached ({error})")
    return None


def _is_no(said: Said) -> bool:
    """Whether it is a clear refusal, with no effect."""
    return said.status in _REFUSED and said.status not in _AMBIGUOUS


def _steer(said: Said, error: Exception) -> None:
    """Raise the word that holds for every request, if one does."""
    if said.status == _UNAUTHENTICATED:
        _ask(
            error,
            f"Azure does not accept the credentials: {said.message} Run az login, or set "
            "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, then retry.",
        )
    if said.status == _FORBIDDEN:
        _ask(
            error,
            f"Azure forbids it: {said.message} Give the account the roles AzureML Data Scientist "
            "on the workspace and Storage Blob Data Contributor on its storage, then retry.",
        )
    if said.status == _UNSENT:
        raise Later(f"Azure ML: {said.message}", retry_after=UNREACHABLE_SECONDS) from error
    if said.status == _TOO_MANY:
        wait = said.retry_after or RETRY_SECONDS
        raise RateLimited(f"Azure wants fewer requests: {said.message}", retry_after=wait) from (
            error
        )


def _ask(error: Exception, message: str) -> NoReturn:
    raise YourTurn(message) from error


def _words(error: Any) -> str:
    """Azure's own sentence, without the code and the rest that its library writes around it."""
    told = getattr(error.error, "message", None)
    return str(told or error.reason or error.message)


def _patience(error: Exception) -> float | None:
    """Seconds to wait by the header."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    hint = str(headers.get("retry-after", ""))
    return float(hint) if hint.replace(".", "", 1).isdigit() else None
