"""What goes wrong in one simulation, and when: a value that a seed or a shrinker draws."""

import random
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a vendor keeps submissions apart."""

    EXACT = "exact"
    """By the key that we choose: a second creation of it is the first one."""

    SEARCHED = "searched"
    """Not at all: what carries the key can be looked for, and is listed with a lag."""


@dataclass(frozen=True)
class Fault:
    """Once a replica has asked the vendor so often, and made so many steps more: stop it.

    Without `dies` it goes on `seconds` later as if nothing had been; else it is killed there, and
    begun anew `seconds` later.
    """

    replica: int
    calls: int
    steps: int
    seconds: float
    dies: bool


@dataclass(frozen=True)
class Action:
    """A user's request at a moment, answered by one of the replicas."""

    at: float
    job: int
    verb: str
    replica: int


@dataclass(frozen=True)
class Schedule:
    """One simulation; times are in seconds from its begin."""

    kind: Kind
    seed: int
    """Of whose turn it is, of the back-offs, and of what the vendor does."""

    replicas: int
    jobs: int
    trouble: float
    """The share of the vendor's answers that are not as they should be."""

    landing_seconds: float
    """How long after its client gave up a creation may still land."""

    lag_seconds: float
    """How long after it landed a creation may be missing in lists."""

    faults: tuple[Fault, ...]
    actions: tuple[Action, ...]

    tells: bool
    """Whether the vendor sends a webhook at each change, and asks to be looked at hardly ever."""

    @property
    def settles(self) -> bool:
        """Whether every creation is listed before the provider's settle time is over."""
        return self.landing_seconds + self.lag_seconds <= SETTLE_SECONDS - SENDING_SECONDS


SETTLE_SECONDS = 90.0
"""What the vendor's SPEC promises."""

SENDING_SECONDS = 40.0
"""From the intent to the moment at which the client of a creation gives up, at the most."""

TROUBLE_SECONDS = 150.0
"""When everything begins to work as it should."""

HEALED_SECONDS = TROUBLE_SECONDS + 60.0
"""When whoever was killed last is back."""

SKEW_SECONDS = 3600.0

VERBS = ("cancel", "pause", "resume", "retry")


def draw(chance: random.Random) -> Schedule:
    """A schedule; a `chance` that a shrinker directs leads to the smallest one that still fails."""
    replicas = chance.randint(1, 3)
    jobs = chance.randint(1, 3)
    is_late = chance.random() < 0.25
    return Schedule(
        kind=chance.choice((Kind.EXACT, Kind.SEARCHED, Kind.SEARCHED)),
        seed=chance.getrandbits(32),
        replicas=replicas,
        jobs=jobs,
        trouble=chance.choice((0.0, 0.2, 0.5)),
        landing_seconds=chance.uniform(60.0, 300.0) if is_late else chance.uniform(0.0, 30.0),
        lag_seconds=chance.uniform(0.0, 20.0),
        faults=tuple(_fault(chance, replicas) for _ in range(chance.randint(0, 5))),
        actions=tuple(_action(chance, replicas, jobs) for _ in range(chance.randint(0, 4))),
        tells=chance.random() < 0.3,
    )


def _fault(chance: random.Random, replicas: int) -> Fault:
    dies = chance.random() < 0.6
    return Fault(
        replica=chance.randrange(replicas),
        calls=chance.randint(0, 3),
        steps=chance.randint(0, 150),
        seconds=chance.uniform(0.0, 60.0) if dies else chance.uniform(5.0, 150.0),
        dies=dies,
    )


def _action(chance: random.Random, replicas: int, jobs: int) -> Action:
    return Action(
        at=chance.uniform(0.0, TROUBLE_SECONDS),
        job=chance.randrange(jobs),
        verb=chance.choice(VERBS),
        replica=chance.randrange(replicas),
    )
