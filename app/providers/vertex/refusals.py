"""Google's errors, heard in whatever library raised them, as the three words of a provider."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from app.domain.errors import Invalid, Later, LuthierError, ModelUnavailable, Never, Steer, YourTurn
from app.providers.refusals import (
    FORBIDDEN,
    NOT_FOUND,
    TOO_MANY,
    UNAUTHENTICATED,
    UNREACHABLE_SECONDS,
    UNSENT,
    Refusals,
    Said,
    hinted_seconds,
    seconds_of,
)


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
        _GOOGLE.refuse_access(said, error)
        if said.status == NOT_FOUND:
            raise YourTurn(
                f"There is no bucket {bucket}; create it, or set staging_bucket, then retry."
            ) from error
        wait = said.retry_after or UNREACHABLE_SECONDS
        raise Later(f"The bucket cannot be written: {said.message}", retry_after=wait) from error


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
        if said.is_no and said.status not in _CANNOT_ANSWER:
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
        _GOOGLE.steer(said, error, exhausted=Later)
        if said.is_no:
            raise Never(
                f"The tuned model does not answer: {said.message}", code="artifact_unusable"
            ) from error
        raise


_CANNOT_ANSWER = frozenset({UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, TOO_MANY})


def heard(error: Exception) -> Said | None:
    """What Google said in an error of one of its libraries; None where nothing was said."""
    # They were imported by whoever raised: nothing is loaded here that was not.
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.genai.errors import APIError

    if isinstance(error, TransportError) or _was_never_sent(error):
        return Said(UNSENT, f"it cannot be reached ({_named(error)})")
    if isinstance(error, GoogleAuthError):
        return Said(UNAUTHENTICATED, str(error))
    if isinstance(error, APIError):
        body = cast("Any", error.details)
        details = body.get("error", {}).get("details") if isinstance(body, dict) else None
        return Said(error.code, error.message or "", _patience(error.response, details))
    if isinstance(error, GoogleAPICallError):
        said = cast("Any", error)
        return Said(int(said.code or 0), str(said.message), _patience(said.response, said.details))
    return None


_GOOGLE = Refusals(
    vendor="Vertex AI",
    hear=heard,
    sign_in="Set credentials_file, or run gcloud auth application-default login",
    grant=("Give the account the role Vertex AI User, and Storage Object User on the bucket"),
)

creating = _GOOGLE.creating
fetching = _GOOGLE.fetching
looking = _GOOGLE.looking
wishing = _GOOGLE.wishing


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
    hint = hinted_seconds(response)
    if hint is not None:
        return hint
    for detail in cast("Sequence[Any]", details if isinstance(details, list) else ()):
        delay = cast("Any", detail).get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str) and (seconds := seconds_of(delay.removesuffix("s"))) is not None:
            return seconds
    return None


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
