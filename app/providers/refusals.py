"""What a vendor's refusal means for a job: one of a provider's three words, or nothing at all.

An error that is raised on means that nobody knows what came of the request.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from app.domain.errors import Later, Never, RateLimited, Steer, YourTurn

UNSENT = 0
UNAUTHENTICATED = 401
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409
TOO_MANY = 429

RETRY_SECONDS = 60.0
"""After 429 without a hint; quotas are counted by the minute."""

UNREACHABLE_SECONDS = 30.0

WISH_REFUSED = "wish_refused"
"""The code of a refusal to cancel, pause or resume; nobody is told it, for the job's state is."""

_REFUSED = range(400, 500)
_AMBIGUOUS = frozenset({408, 409, 499})
"""4xx that do not say whether the request had its effect."""


class Said(msgspec.Struct, frozen=True):
    """An answer that is no: the HTTP status (0 for what was never sent), and the vendor's words."""

    status: int
    message: str
    retry_after: float | None = None

    @property
    def is_no(self) -> bool:
        """Whether it is a clear refusal, with no effect."""
        return self.status in _REFUSED and self.status not in _AMBIGUOUS


@dataclass(frozen=True)
class Refusals:
    """One vendor's: how its libraries' errors are heard, and what opens a door that is shut.

    `hear` gives what the vendor said in an error; None where nothing was said. `sign_in` and
    `grant` say what to do after 401 and 403.
    """

    vendor: str
    hear: Callable[[Exception], Said | None]
    sign_in: str
    grant: str

    @contextmanager
    def creating(self) -> Generator[None]:
        """Creating a job; only a clear no is a word, the rest is unclear."""
        try:
            yield
        except Steer:
            raise
        except Exception as error:
            said = self.hear(error)
            if said is None:
                raise
            # 429 may mean here that too many trainings run at once.
            self.steer(said, error, exhausted=Later)
            if said.is_no:
                raise Never(
                    f"{self.vendor} refuses the job: {said.message}",
                    code="provider_refused",
                    hint="Change what is named, or the base model, and create a new job.",
                ) from error
            raise

    @contextmanager
    def looking(self) -> Generator[None]:
        """Looking at a job, or telling it to end; where nobody answers, nothing is said of it."""
        try:
            yield
        except Steer:
            raise
        except Exception as error:
            said = self.hear(error)
            if said is None or said.status == UNSENT:
                raise
            self.steer(said, error, exhausted=RateLimited)
            if said.status == NOT_FOUND:
                message = f"{self.vendor} knows the job no more: {said.message}"
                raise Never(message, code="run_lost") from error
            raise

    @contextmanager
    def wishing(self) -> Generator[None]:
        """Wishes for a job: a no says that it is in no state for it, and a look shows in which."""
        try:
            with self.looking():
                yield
        except Steer:
            raise
        except Exception as error:
            said = self.hear(error)
            if said is None or not (said.is_no or said.status == CONFLICT):
                raise
            raise Never(f"{self.vendor}: {said.message}", code=WISH_REFUSED) from error

    @contextmanager
    def fetching(self) -> Generator[None]:
        """Reading a file there, which can always be tried again."""
        try:
            yield
        except Steer:
            raise
        except Exception as error:
            said = self.hear(error)
            if said is not None:
                self.refuse_access(said, error)
            reason = said.message if said else type(error).__name__
            wait = (said and said.retry_after) or UNREACHABLE_SECONDS
            raise Later(f"The file cannot be read: {reason}", retry_after=wait) from error

    def steer(self, said: Said, error: Exception, *, exhausted: type[Later]) -> None:
        """Raise the word that holds for every request, if one does; `exhausted` answers 429."""
        self.refuse_access(said, error)
        if said.status == UNSENT:
            message = f"{self.vendor}: {said.message}"
            raise Later(message, retry_after=UNREACHABLE_SECONDS) from error
        if said.status == TOO_MANY:
            wait = said.retry_after or RETRY_SECONDS
            message = f"{self.vendor} wants fewer requests: {said.message}"
            raise exhausted(message, retry_after=wait) from error

    def refuse_access(self, said: Said, error: Exception) -> None:
        """Raise `YourTurn` where the credentials do not do."""
        if said.status == UNAUTHENTICATED:
            message = f"{self.vendor} does not accept the credentials: {said.message}"
            raise YourTurn(f"{message} {self.sign_in}, then retry.") from error
        if said.status == FORBIDDEN:
            message = f"{self.vendor} forbids it: {said.message}"
            raise YourTurn(f"{message} {self.grant}, then retry.") from error


def hinted_seconds(response: Any) -> float | None:
    """Seconds to wait by the header `retry-after` of an answer of any library."""
    headers = getattr(response, "headers", None) or {}
    return seconds_of(str(headers.get("retry-after", "")))


def seconds_of(text: str) -> float | None:
    """The number of seconds; None for a date, or nothing."""
    return float(text) if text.replace(".", "", 1).isdigit() else None
