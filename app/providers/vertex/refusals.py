"""Google's errors as the three words of a provider; what is in no table stays as it was raised.

An error that is raised on means that nobody knows what came of the request.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import msgspec

from app.domain.errors import (
    Invalid,
    Later,
    LuthierError,
    ModelUnavailable,
    Never,
    RateLimited,
    Steer,
    YourTurn,
)

RETRY_SECONDS = 60.0
"""Google mostly gives no hint with 429; its quotas are counted by the minute."""

UNREACHABLE_SECONDS = 30.0

_UNAUTHENTICATED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_EXHAUSTED = 429
_REFUSED = range(400, 500)
_AMBIGUOUS = frozenset({408, 409, 499})
"""4xx that do not say whether the request had its effect."""


class Said(msgspec.Struct, frozen=True):
    """An answer that is no: the HTTP status (0 for what was never sent), and Google's words."""

    status: int
    message: str
    retry_after: float | None = None


@contextmanager
def staging(bucket: str) -> Generator[None]:
    """Putting files into the bucket: no job exists yet, so nothing is ever unclear."""
    try:
        yield
    except Steer:
        raise
    except Exception as error:
        said = heard(error)
        if said is None:
            raise Later(
                f"The bucket cannot be written ({_named(error)}).", retry_after=UNREACHABLE_SECONDS
            ) from error
        _refuse_access(said, error)
        if said.status == _NOT_FOUND:
            raise YourTurn(
                f"There is no bucket {bucket}; create it, or set staging_bucket, then retry."
            ) from error
        wait = said.retry_after or UNREACHABLE_SECONDS
        raise Later(f"The bucket cannot be written: {said.message}", retry_after=wait) from error


@contextmanager
def fetching() -> Generator[None]:
    """Reading an object of a bucket, which can always be tried again."""
    try:
        yield
    except Steer:
        raise
    except Exception as error:
        said = heard(error)
        if said is not None:
            _refuse_access(said, error)
        raise Later(
            f"The object cannot be read: {said.message if said else _named(error)}",
            retry_after=(said and said.retry_after) or UNREACHABLE_SECONDS,
        ) from error


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
        if said.status in _REFUSED and said.status not in _AMBIGUOUS:
            raise Never(
                f"Google refuses the job: {said.message}",
                code="provider_refused",
                hint="Change what Google names, or the base model, and create a new job.",
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
        if said is None or said.status == 0:
            raise
        # Not for a create: there it may mean that too many trainings run at once.
        _steer(said, error, exhausted=RateLimited)
        if said.status == _NOT_FOUND:
            raise Never(f"Google knows the job no more: {said.message}", code="run_lost") from error
        raise


@contextmanager
def asking() -> Generator[None]:
    """Asking a model: what is wrong with the request, or that there is no answer now."""
    try:
        yield
    except LuthierError:
        raise
    except Steer as said:
        raise ModelUnavailable(str(said)) from said
    except Exception as error:
        said = heard(error)
        if said is None:
            raise ModelUnavailable(f"Vertex AI does not answer ({_named(error)}).") from error
        if said.status in _REFUSED and said.status not in _CANNOT_ANSWER:
            raise Invalid(f"Gemini refuses the request: {said.message}") from error
        raise ModelUnavailable(f"Vertex AI does not answer: {said.message}") from error


@contextmanager
def probing() -> Generator[None]:
    """Asking a model that was just tuned: one that refuses to answer is no result."""
    try:
        yield
    except Steer:
        raise
    except Exception as error:
        said = heard(error)
        if said is None:
            raise
        _steer(said, error)
        if said.status in _REFUSED and said.status not in _AMBIGUOUS:
            raise Never(
                f"The tuned model does not answer: {said.message}", code="artifact_unusable"
            ) from error
        raise


_CANNOT_ANSWER = frozenset({_UNAUTHENTICATED, _FORBIDDEN, _NOT_FOUND, _EXHAUSTED, *_AMBIGUOUS})


def heard(error: Exception) -> Said | None:
    """What Google said in an error of one of its libraries; None where nothing was said."""
    # They were imported by whoever raised: nothing is loaded here that was not.
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.genai.errors import APIError

    if isinstance(error, TransportError) or _was_never_sent(error):
        return Said(0, f"it cannot be reached ({_named(error)})")
    if isinstance(error, GoogleAuthError):
        return Said(_UNAUTHENTICATED, str(error))
    if isinstance(error, APIError):
        body = cast("Any", error.details)
        details = body.get("error", {}).get("details") if isinstance(body, dict) else None
        return Said(error.code, error.message or "", _patience(error.response, details))
    if isinstance(error, GoogleAPICallError):
        said = cast("Any", error)
        return Said(int(said.code or 0), str(said.message), _patience(said.response, said.details))
    return None


def _steer(said: Said, error: Exception, *, exhausted: type[Later] = Later) -> None:
    """Raise the word that holds for every request, if one does."""
    _refuse_access(said, error)
    if said.status == 0:
        raise Later(f"Vertex AI: {said.message}", retry_after=UNREACHABLE_SECONDS) from error
    if said.status == _EXHAUSTED:
        wait = said.retry_after or RETRY_SECONDS
        raise exhausted(f"Google's quota is used up: {said.message}", retry_after=wait) from error


def _refuse_access(said: Said, error: Exception) -> None:
    if said.status == _UNAUTHENTICATED:
        _ask(
            error,
            f"Google does not accept the credentials: {said.message} Set credentials_file, or "
            "run gcloud auth application-default login, then retry.",
        )
    if said.status == _FORBIDDEN:
        _ask(
            error,
            f"Google forbids it: {said.message} Give the account the role Vertex AI User, and "
            "Storage Object User on the bucket, then retry.",
        )


def _ask(error: Exception, message: str) -> NoReturn:
    raise YourTurn(message) from error


def _was_never_sent(error: Exception) -> bool:
    """Whether no connection came about, so that nothing can have happened."""
    import httpx
    from requests.exceptions import ConnectionError as RequestsConnectionError
    from urllib3.exceptions import NewConnectionError

    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return True
    if not isinstance(error, RequestsConnectionError) or not error.args:
        return False
    return isinstance(getattr(error.args[0], "reason", None), NewConnectionError)


def _patience(response: Any, details: Any) -> float | None:
    """Seconds to wait: the header's, or those of `google.rpc.RetryInfo`."""
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    hint = headers.get("retry-after", "")
    if hint.replace(".", "", 1).isdigit():
        return float(hint)
    for detail in cast("Sequence[Any]", details if isinstance(details, list) else ()):
        delay = cast("Any", detail).get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and delay.removesuffix("s").replace(".", "", 1).isdigit():
            return float(delay.removesuffix("s"))
    return None


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
