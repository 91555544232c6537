"""Azure's errors, heard in whatever library raised them, as the three words of a provider."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx

from app.domain.errors import Later, ModelUnavailable, Never, Steer, YourTurn
from app.providers.refusals import (
    NOT_FOUND,
    UNAUTHENTICATED,
    UNREACHABLE_SECONDS,
    UNSENT,
    Refusals,
    Said,
    hinted_seconds,
)

_INVALID = 400


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
        _AZURE.steer(said, error, exhausted=Later)
        if said.status == NOT_FOUND:
            message = f"Azure ML finds no such workspace or storage: {said.message}"
            raise YourTurn(message) from error
        if said.is_no:
            raise Never(
                f"The workspace's storage refuses the file: {said.message}",
                code="provider_refused",
                hint="Change what Azure names, then retry the job.",
            ) from error
        wait = said.retry_after or UNREACHABLE_SECONDS
        message = f"The workspace's storage cannot be written: {said.message}"
        raise Later(message, retry_after=wait) from error


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
        return Said(UNSENT, f"it cannot be reached ({error.message})"[:300])
    if isinstance(error, HttpResponseError) and error.status_code is not None:
        return Said(error.status_code, _words(error), hinted_seconds(error.response))
    if isinstance(error, ClientAuthenticationError):
        return Said(UNAUTHENTICATED, str(error.message))
    if isinstance(error, ValidationException):
        # The SDK itself found the request wanting; nothing was sent.
        return Said(_INVALID, str(error.message))
    if isinstance(error, httpx.HTTPStatusError):
        return Said(error.response.status_code, error.response.reason_phrase)
    if isinstance(error, httpx.ConnectError):
        return Said(UNSENT, f"it cannot be reached ({error})")
    return None


_AZURE = Refusals(
    vendor="Azure ML",
    hear=heard,
    sign_in="Run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
    grant=(
        "Give the account the roles AzureML Data Scientist on the workspace and Storage Blob "
        "Data Contributor on its storage"
    ),
)

creating = _AZURE.creating
fetching = _AZURE.fetching
looking = _AZURE.looking
wishing = _AZURE.wishing


def _words(error: Any) -> str:
    """Azure's own sentence, without the code and the rest that its library writes around it."""
    told = getattr(error.error, "message", None)
    return str(told or error.reason or error.message)
