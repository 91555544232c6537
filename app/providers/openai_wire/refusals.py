"""The one table from the SDK's errors to ours, by what was being done.

Foreign errors carry requests and answers with them; none of them goes further than this file.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum, auto

import httpx2
import openai

from app.domain.errors import (
    Fault,
    Invalid,
    Later,
    LuthierError,
    ModelNotFound,
    ModelUnavailable,
    Never,
    RateLimited,
    Steer,
    YourTurn,
)
from app.providers.refusals import WISH_REFUSED

RETRY_SECONDS = 20.0
"""Until the next try where the vendor does not say."""

LONGEST_RETRY_SECONDS = 3600.0


class Unanswered(Exception):
    """The vendor gave no answer, or none that can be read: what it did is unknown."""


class Problem(Enum):
    """What an error of the SDK means."""

    NOT_SENT = auto()
    NO_ANSWER = auto()
    BUSY = auto()
    QUOTA = auto()
    KEY = auto()
    FORBIDDEN = auto()
    CLOSED = auto()
    MISSING = auto()
    REJECTED = auto()


class Refusal:
    """One error of the SDK, understood; `message` is the vendor's and holds no credentials."""

    def __init__(self, error: Exception) -> None:
        self.code: str | None = getattr(error, "code", None)
        self.param: str | None = getattr(error, "param", None)
        self.is_conflict = getattr(error, "status_code", None) == _CONFLICT
        self.problem = _problem(error, self.code)
        self.message = _message(error)
        self.retry_after = _retry_after(error)


@contextmanager
def preparing(vendor: str) -> Generator[None]:
    """Before the create: whatever happens, no job came of it."""
    with _understood() as caught:
        yield
    if caught.refusal is not None:
        refusal = caught.refusal
        if refusal.problem is Problem.NO_ANSWER:
            raise Later(f"{vendor} gives no answer.", retry_after=refusal.retry_after)
        raise _steer(refusal, vendor)


@contextmanager
def creating(vendor: str) -> Generator[None]:
    """The create itself: only a clear refusal promises that nothing was created."""
    with _understood() as caught:
        yield
    if caught.refusal is not None:
        refusal = caught.refusal
        if refusal.problem is Problem.FORBIDDEN and not _is_about_rights(refusal):
            refusal.problem = Problem.CLOSED
        if refusal.problem is Problem.NO_ANSWER:
            raise Unanswered(refusal.message)
        raise _steer(refusal, vendor)


@contextmanager
def observing(vendor: str) -> Generator[None]:
    """Looks: silence is silence, and no refusal ends a job that may be paid for."""
    with _understood() as caught:
        yield
    if caught.refusal is not None:
        raise _unseen(caught.refusal, vendor)


@contextmanager
def wishing(vendor: str) -> Generator[None]:
    """Wishes: a conflict says that the job is in no state for it, and a look shows in which."""
    with _understood() as caught:
        yield
    if caught.refusal is not None:
        if caught.refusal.is_conflict:
            raise Never(caught.refusal.message, code=WISH_REFUSED)
        raise _unseen(caught.refusal, vendor)


@contextmanager
def asking(vendor: str) -> Generator[None]:
    """Questions to models."""
    with _understood() as caught:
        yield
    if caught.refusal is not None:
        raise _for_the_asker(caught.refusal, vendor)


class _Caught:
    refusal: Refusal | None = None


@contextmanager
def _understood() -> Generator[_Caught]:
    caught = _Caught()
    try:
        yield caught
    except (openai.OpenAIError, httpx2.HTTPError, json.JSONDecodeError, Unanswered) as error:
        caught.refusal = Refusal(error)


def _unseen(refusal: Refusal, vendor: str) -> Exception:
    if refusal.problem in (Problem.NO_ANSWER, Problem.NOT_SENT):
        return Unanswered(refusal.message)
    if refusal.problem is Problem.BUSY:
        # Not for a create: there it may mean that too many trainings run at once.
        return RateLimited(f"{vendor} is busy: {refusal.message}", retry_after=refusal.retry_after)
    if refusal.problem is Problem.MISSING:
        return YourTurn(
            f"{vendor} does not know it under these credentials: was the key, the project or "
            f"the organization changed? ({refusal.message})"
        )
    return _steer(refusal, vendor)


def _steer(refusal: Refusal, vendor: str) -> Steer:
    message = refusal.message
    match refusal.problem:
        case Problem.NOT_SENT:
            return Later(f"{vendor} cannot be reached.", retry_after=refusal.retry_after)
        case Problem.BUSY | Problem.NO_ANSWER:
            return Later(f"{vendor} is busy: {message}", retry_after=refusal.retry_after)
        case Problem.QUOTA:
            return YourTurn(f"{vendor} wants credit or a higher limit ({message}); then retry.")
        case Problem.KEY:
            return YourTurn(f"{vendor} does not take the credentials; set valid ones, then retry.")
        case Problem.FORBIDDEN:
            return YourTurn(f"{vendor} forbids it: {message} Give the credentials the right to.")
        case Problem.CLOSED:
            return Never(
                message,
                code="creation_closed",
                hint="New jobs are no longer taken there: move the recipe elsewhere.",
            )
        case Problem.MISSING:
            return _missing(refusal)
        case Problem.REJECTED:
            return Never(message, code=refusal.code or "provider_refused")


def _missing(refusal: Refusal) -> Never:
    if refusal.code in _NO_MODEL or refusal.param == "model":
        return Never(
            refusal.message,
            code="base_model_retired",
            hint="It was retired, or this account has no access to it: choose another base model, "
            "or move the recipe elsewhere.",
        )
    return Never(refusal.message, code=refusal.code or "provider_refused")


def _for_the_asker(refusal: Refusal, vendor: str) -> LuthierError:
    match refusal.problem:
        case Problem.REJECTED:
            pointer = f"/{refusal.param}" if refusal.param else None
            fault = Fault(refusal.code or "invalid_request", refusal.message, pointer)
            return Invalid(refusal.message, faults=[fault])
        case Problem.MISSING:
            return ModelNotFound(refusal.message)
        case Problem.KEY:
            return ModelUnavailable(f"{vendor} does not take the service's credentials.")
        case Problem.FORBIDDEN:
            return ModelUnavailable(f"{vendor} forbids it to the service: {refusal.message}")
        case _:
            return ModelUnavailable(f"{vendor} does not answer now: {refusal.message}")


_UNAUTHENTICATED = 401
_STATUSES = {
    _UNAUTHENTICATED: Problem.KEY,
    403: Problem.FORBIDDEN,
    404: Problem.MISSING,
    429: Problem.BUSY,
}
_CONFLICT = 409
_UNSURE = frozenset({408, _CONFLICT})
_OUT_OF_QUOTA = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "exceeded_quota", "quotaExceeded"}
)
_NO_MODEL = frozenset({"model_not_found", "model_not_available"})
_CLOSED = re.compile(
    r"(organi[sz]ation|account|project|you) .*(no longer|cannot|can't|not) .*fine-?tun"
    r"|fine-?tuning.*(no longer|disabled|deprecated|discontinued|closed|has ended)",
    re.IGNORECASE,
)
"""What OpenAI says to those whom it has locked out is not published; this is a guess."""

_NO_RIGHT = frozenset({"403", "AccessDenied", "PermissionDenied", "forbidden"})
"""Azure's codes for it, whose words are not the ones below."""

_RIGHTS = re.compile(r"scope|permission|role|api key|verif", re.IGNORECASE)


def _problem(error: Exception, code: str | None) -> Problem:
    if isinstance(error, openai.APIStatusError):
        return _problem_of_status(error, code)
    if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
        return Problem.NOT_SENT
    if isinstance(error, openai.OpenAIError) and not isinstance(error, openai.APIError):
        # The SDK refuses by itself to send without credentials.
        return Problem.KEY
    return Problem.NO_ANSWER


def _problem_of_status(error: openai.APIStatusError, code: str | None) -> Problem:
    if code in _OUT_OF_QUOTA:
        return Problem.QUOTA
    if not 400 <= error.status_code < 500 or error.status_code in _UNSURE:
        return Problem.NO_ANSWER
    if code in _NO_MODEL:
        return Problem.MISSING
    if code == "fine_tuning_not_available":
        return Problem.CLOSED
    if error.status_code == 400 and error.param != "model" and _CLOSED.search(_message(error)):
        return Problem.CLOSED
    return _STATUSES.get(error.status_code, Problem.REJECTED)


def _is_about_rights(refusal: Refusal) -> bool:
    return refusal.code in _NO_RIGHT or _RIGHTS.search(refusal.message) is not None


def _message(error: Exception) -> str:
    """The vendor's own sentence without the SDK's frame."""
    if getattr(error, "status_code", None) == _UNAUTHENTICATED:
        # It may repeat a part of the key.
        return "The credentials were refused."
    if isinstance(error, Unanswered):
        return str(error)
    if not isinstance(error, openai.APIError):
        return f"{type(error).__name__}: {error}"[:300]
    body = error.body
    text = body.get("message") if isinstance(body, dict) else None  # pyright: ignore[reportUnknownVariableType]
    return (text if isinstance(text, str) else error.message)[:1000]


def _retry_after(error: Exception) -> float:
    if not isinstance(error, openai.APIStatusError):
        return RETRY_SECONDS
    for header, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(error.response.headers.get(header, "")) * scale
        except ValueError:
            continue
        return min(max(seconds, 0.0), LONGEST_RETRY_SECONDS)
    return RETRY_SECONDS
