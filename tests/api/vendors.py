"""Vendors with one habit more than the simulated one."""

from pathlib import Path
from typing import Any

import msgspec

from app.domain.jobs import Checkpoint, MetricPoint, Remote
from app.domain.provider import Observation
from tests.simulated.simulated_provider import SimulatedOptions, SimulatedProvider

FOREVER = 1_000_000
"""Looks."""


class PatientVendor(SimulatedProvider):
    """Trains until it is told to finish or to fail."""

    def __init__(self, folder: Path) -> None:
        super().__init__(SimulatedOptions(folder=folder, looks_until_done=FOREVER))

    def finish(self) -> None:
        """Let every training end well at the next look."""
        self._change(looks=FOREVER)

    def fail(self) -> None:
        """Let every training end badly."""
        self._change(status="failed")

    def _change(self, **changes: Any) -> None:
        for job in self.created():
            self._write(job | changes)


class TalkativeVendor(SimulatedProvider):
    """Measures before it begins, saves a checkpoint at every look, and logs in any language."""

    LOG = "обучение идёт ▇▇▇\n".encode()

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """The same, and a point for step 0 with every look."""
        seen = await super().observe(remote, cursor)
        assert seen.progress is not None
        step = seen.progress.step or 0
        return msgspec.structs.replace(
            seen,
            metrics=[MetricPoint(0, {"loss": 2.0}), *seen.metrics],
            checkpoints=[Checkpoint(step, f"step-{step}")],
        )

    async def logs(self, remote: Remote, offset: int) -> tuple[bytes, int]:
        """Five bytes at a time, wherever that cuts a letter."""
        piece = self.LOG[offset : offset + 5]
        return piece, offset + len(piece)
