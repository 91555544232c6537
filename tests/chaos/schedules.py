"""What can go wrong, and at which request: every fault at every call of a submission."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.sandbox.frame.faults import Failure, Fault, Hang, Reset
from app.sandbox.frame.memory import Seen

KILLS: Mapping[str, Hang] = {
    "killed before the effect": Hang(),
    "killed after the effect": Hang(after_effect=True),
}
"""The vendor holds its answer back for as long as it takes to kill the service."""

LOSSES: Mapping[str, Fault] = {
    "request cut": Reset(during="upload"),
    "answer lost": Reset(during="effect"),
    "answer cut": Reset(during="answer"),
    "502 after the effect": Failure(status=502, after_effect=True),
}

FAULTS: Mapping[str, Fault] = {**KILLS, **LOSSES}


@dataclass(frozen=True)
class Call:
    """A request of a submission: the `skip + 1`-th to its path, in which `*` is any name."""

    method: str
    path: str
    skip: int = 0


@dataclass(frozen=True)
class Schedule:
    """One thing that goes wrong."""

    call: Call
    what: str

    @property
    def fault(self) -> Fault:
        """What the simulator is told to do."""
        return FAULTS[self.what]

    @property
    def is_kill(self) -> bool:
        """Whether the service dies of it."""
        return self.what in KILLS

    def __str__(self) -> str:
        return f"{self.what}: {self.call.method} {self.call.path} #{self.call.skip + 1}"


def calls_of(requests: Sequence[Seen]) -> list[Call]:
    """The calls of a submission as it was seen, up to the one that made the job."""
    calls: list[Call] = []
    seen: dict[tuple[str, str], int] = {}
    for request in requests:
        place = request.method, _pattern(request.path)
        calls.append(Call(*place, skip=seen.get(place, 0)))
        seen[place] = calls[-1].skip + 1
    return calls


def every(calls: Sequence[Call]) -> list[Schedule]:
    """Each fault at each call; a request without a body cannot be cut on its way."""
    return [
        Schedule(call, what)
        for call in calls
        for what in FAULTS
        if call.method not in ("GET", "HEAD") or what != "request cut"
    ]


def some(calls: Sequence[Call], *, seed: int) -> list[Schedule]:
    """A kill and a loss where it costs most, at the create, and one fault by chance."""
    create = calls[-1]
    chance = random.Random(seed)
    return [
        Schedule(create, "killed after the effect"),
        Schedule(create, "answer lost"),
        chance.choice([one for one in every(calls) if one.call != create and not one.is_kill]),
    ]


def _pattern(path: str) -> str:
    """The path with every name that is new each time left open."""
    parts = [re.sub(r"^.*\d.*$", "*", part) if len(part) > 12 else part for part in path.split("/")]
    return "/".join(parts)
