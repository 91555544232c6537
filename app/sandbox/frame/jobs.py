"""The jobs of a simulated vendor: kept by name, and moved on beat by beat."""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.conditions import Paced


class Paceable(Protocol):
    """A job that beats move on; `beat_at` is when the last one was due, in seconds."""

    beat_at: float

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        ...


AnyJob = TypeVar("AnyJob", bound=Paceable)
AnyConditions = TypeVar("AnyConditions", bound=Paced)


class PacedJobs(ABC, Generic[AnyJob, AnyConditions]):
    """All jobs by name, the oldest first."""

    def __init__(self, conditions: AnyConditions, clock: Clock) -> None:
        self._conditions = conditions
        self._clock = clock
        self.all: dict[str, AnyJob] = {}

    @abstractmethod
    def beat(self, job: AnyJob) -> None:
        """One step of the way."""

    def look(self, job: AnyJob) -> None:
        """With the pace of looks, a beat."""
        if self._conditions.pace.by == "look":
            self.beat(job)

    def advance(self, beats: int, name: str | None = None) -> None:
        """Move one job on, or all."""
        for job in [self.all[name]] if name else list(self.all.values()):
            for _ in range(beats):
                self.beat(job)

    def catch_up(self) -> None:
        """With the clock's pace, every beat that is due by now."""
        pace = self._conditions.pace
        if pace.by != "clock":
            return
        for job in list(self.all.values()):
            while not job.is_over and job.beat_at + pace.seconds <= self._clock.now():
                job.beat_at += pace.seconds
                self.beat(job)
