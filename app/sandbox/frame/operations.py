"""What a vendor is to the frame: its operations, its habits of admitting and refusing."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol

from app.sandbox.frame.exchange import Asked, Refused, Reply


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a vendor's API.

    `query`, `body` and `answer` are the types of the vendor's own SDK that a request and its
    answer must fit, `piece` that of each line of a stream; None where there is nothing, or
    nothing of JSON.
    """

    method: str
    path: str
    handle: Callable[[Asked], Reply]
    _: KW_ONLY
    query: Any = None
    body: Any = None
    answer: Any = None
    piece: Any = None


class Published(Protocol):
    """A contract that the vendor has published, to check against besides its SDK's types."""

    def of_request(self, operation: Operation, asked: Asked) -> list[str]:
        """What it says against a request."""
        ...

    def of_reply(self, operation: Operation, reply: Reply, answer: Any) -> list[str]:
        """What it says against an answer."""
        ...


class Vendor(Protocol):
    """A vendor behind the counter. Every method runs in the server's own thread."""

    @property
    def base(self) -> str:
        """The path that all operations stand under, such as `/v1`."""
        ...

    @property
    def operations(self) -> Sequence[Operation]:
        """All there are."""
        ...

    def admit(self, asked: Asked) -> None:
        """Let a caller in, or raise `Refused`."""
        ...

    def refuse(self, refused: Refused) -> Reply:
        """The refusal in the vendor's own shape."""
        ...

    def stamp(self, reply: Reply) -> Reply:
        """The reply with the headers that every answer of this vendor carries."""
        ...

    def documented(self, answer: Any) -> Any:
        """The answer with what the vendor is known to send outside its contract replaced."""
        ...

    def catch_up(self) -> None:
        """Do what is due by now."""
        ...
