"""The protocol with one of its four safeguards missing: each has to be found out."""

from collections.abc import Sequence

import msgspec

from app.domain.jobs import Remote
from app.domain.provider import ProviderSpec, Submitted
from tests.simulation.vendor import Client
from tests.simulation.world import Protocol


class NeverFound(Client):
    """A look-up that finds nothing: every lost answer is followed by a second creation."""

    async def find(self, key: str) -> Remote | None:
        return None


class Settled(Client):
    """A vendor that is believed to list everything at once."""

    @property
    def spec(self) -> ProviderSpec:
        return msgspec.structs.replace(super().spec, settle_seconds=0.0)


class Unswept(Client):
    """A vendor whose list shows nothing to whoever sweeps."""

    async def submitted(self, since: int) -> Sequence[Submitted]:
        return []


def unfenced(statement: str) -> str:
    """Writes that do not ask whether the lease is still theirs."""
    given = "CAST(CAST(leases.value AS VARCHAR) AS INTEGER)"
    return statement.replace("jobs.epoch = ?", "? IS NOT NULL").replace(
        f"jobs.epoch = {given}", f"{given} IS NOT NULL"
    )


MUTANTS = (
    Protocol("no look-up", client=NeverFound),
    Protocol("no settling", client=Settled),
    Protocol("no fence", rewrite=unfenced),
    Protocol("no sweep", client=Unswept),
)
