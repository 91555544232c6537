"""What a use case that creates answers: the thing, and whether it was there already."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Created(Generic[Thing]):
    """`is_replay`: the first answer once more, for the same key. `existed`: it was there before."""

    thing: Thing
    is_replay: bool = False
    existed: bool = False
