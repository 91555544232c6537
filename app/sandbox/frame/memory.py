"""What a simulator remembers of every request, so that a test can ask afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.sandbox.frame.exchange import Asked

SECRETS = frozenset({"authorization", "api-key", "cookie", "x-api-key", "x-goog-api-key"})


@dataclass(slots=True)
class Seen:
    """One request, as the vendor took it before the `fault` that spoiled it, if any did.

    `status` is what the vendor answered; None where the fault kept the request from it.
    """

    method: str
    path: str
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Any
    fault: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that the vendor's contract does not allow, by the service or by the simulator."""

    side: Literal["request", "answer"]
    method: str
    path: str
    message: str


@dataclass(slots=True)
class Memory:
    """Everything since the simulator was made."""

    requests: list[Seen] = field(default_factory=list[Seen])
    violations: list[Violation] = field(default_factory=list[Violation])

    def note(self, method: str, path: str, asked: Asked | None, fault: str | None = None) -> Seen:
        """Remember a request; `asked` is None where it was not read to its end."""
        seen = Seen(
            method,
            path,
            asked.query if asked else {},
            _without_secrets(asked.headers) if asked else {},
            asked.body if asked else None,
            fault,
        )
        self.requests.append(seen)
        return seen

    def accuse(
        self, side: Literal["request", "answer"], method: str, path: str, message: str
    ) -> None:
        """Remember a violation."""
        self.violations.append(Violation(side, method, path, message))


def _without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in SECRETS}
