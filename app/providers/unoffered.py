"""Verbs that not every place has: whoever has one puts it in the place of these."""

from abc import ABC, abstractmethod

from app.domain.errors import Never
from app.domain.jobs import Remote
from app.domain.provider import ProviderSpec


class Unoffered(ABC):
    """A provider that can neither pause a training nor show its log."""

    @property
    @abstractmethod
    def spec(self) -> ProviderSpec:
        """How the provider introduces itself."""

    async def pause(self, remote: Remote) -> None:
        """Not offered."""
        raise self._never("cannot pause a training.")

    async def resume(self, remote: Remote) -> None:
        """Not offered."""
        raise self._never("cannot resume a training.")

    async def logs(self, remote: Remote, offset: int) -> tuple[bytes, int]:
        """Not offered: the job's events, and its page at the provider, are all that is told."""
        raise self._never("gives no log; see the job's events, or its page there.")

    def _never(self, what: str) -> Never:
        return Never(f"{self.spec.title} {what}", code="operation_not_supported")
