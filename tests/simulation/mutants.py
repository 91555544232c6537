"""Luthier with a safeguard missing, or with a bug planted: each has to be found out."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.domain.jobs import Remote
from app.domain.provider import ProviderSpec, Submitted
from tests.simulation.client import Client
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


@dataclass(frozen=True)
class Mutant:
    """What is simulated, and the promise that it breaks under the schedule of a seed."""

    protocol: Protocol
    breaks: str
    seed: int


def planted(name: str, when: str, then: str) -> Protocol:
    """A bug of the database's own: `when` something happens, `then` does what nobody wanted."""
    return Protocol(name, planted=f"CREATE TRIGGER planted AFTER {when} BEGIN {then}; END")


MUTANTS = (
    Mutant(Protocol("no look-up", client=NeverFound), "submitted once", 3),
    Mutant(Protocol("no settling", client=Settled), "submitted once", 19),
    Mutant(Protocol("no fence", rewrite=unfenced), "ends are ends", 35),
    Mutant(Protocol("no sweep", client=Unswept), "one alive", 0),
    Mutant(
        planted(
            "a job that had an accident is thrown away",
            "UPDATE OF accidents ON jobs WHEN NEW.accidents > 1",
            "DELETE FROM jobs WHERE id = NEW.id",
        ),
        "nothing lost",
        0,
    ),
    Mutant(
        planted(
            "a lease that never ends",
            "UPDATE OF lease_owner ON jobs WHEN NEW.lease_owner IS NOT NULL",
            "UPDATE jobs SET next_at = NULL WHERE id = NEW.id",
        ),
        "desired reached",
        3,
    ),
    Mutant(
        planted(
            "news that are forgotten where they come during a look",
            "UPDATE OF woken_epoch ON jobs WHEN NEW.lease_owner IS NOT NULL"
            " AND NEW.woken_epoch IS NOT NULL",
            "UPDATE jobs SET woken_epoch = NULL WHERE id = NEW.id",
        ),
        "desired reached",
        43,
    ),
    Mutant(
        planted(
            "a failure that is looked at again",
            "UPDATE OF status ON jobs WHEN NEW.status = 'failed' AND OLD.status = 'running'"
            " AND NEW.event_count < 20",
            "UPDATE jobs SET status = 'running', next_at = NEW.observed_at + 5000"
            " WHERE id = NEW.id",
        ),
        "ends are ends",
        5,
    ),
    Mutant(
        planted(
            "an event that is lost",
            "INSERT ON job_events WHEN NEW.type = 'job.stale'",
            "DELETE FROM job_events WHERE job_id = NEW.job_id AND seq = NEW.seq",
        ),
        "events gapless",
        5,
    ),
    Mutant(
        planted(
            "a retry that takes the last training for its own",
            "UPDATE OF attempt ON jobs WHEN OLD.remote IS NOT NULL",
            "UPDATE jobs SET status = 'running', remote = OLD.remote WHERE id = NEW.id",
        ),
        "attempts true",
        43,
    ),
    Mutant(
        planted(
            "a model that is taken for another job's",
            "INSERT ON models",
            "UPDATE models SET job_id = NULL WHERE id = NEW.id",
        ),
        "one model",
        0,
    ),
    Mutant(
        planted(
            "a ledger that knows the last attempt only",
            "UPDATE OF actual ON ledger WHEN OLD.actual IS NOT NULL",
            "UPDATE ledger SET actual = NEW.actual - OLD.actual WHERE id = NEW.id",
        ),
        "ledger true",
        43,
    ),
    Mutant(
        planted(
            "a ledger that knows of no second creation",
            "INSERT ON ledger WHEN NEW.key LIKE 'surplus:%'",
            "DELETE FROM ledger WHERE id = NEW.id",
        ),
        "ledger true",
        0,
    ),
)
