"""What an operator asks of the whole house at one moment: what waits, how long, what it costs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from app.domain.jobs import JobStatus

MOST_PROJECTS = 20
"""Projects that are told of by name; a series for each of thousands would help nobody."""

OTHERS = "_others"
"""The rest of them; no project can be called that."""


class OpenJobs(msgspec.Struct, frozen=True, kw_only=True):
    """The unfinished jobs of one provider and project in one state."""

    provider: str
    project_id: str
    status: JobStatus
    count: int
    due: int
    """How many should be looked at by now."""

    overdue_seconds: float
    """For how long the longest due of them has been."""

    unreachable: int
    """How many of them their provider gives no news of."""

    observed_seconds: float | None
    """The age of the oldest observation among them; None where there is none to come."""


class Spent(msgspec.Struct, frozen=True):
    """US dollars of all ledger lines of a provider, by quote and in fact."""

    provider: str
    quoted_usd: Decimal
    actual_usd: Decimal


class Outbox(msgspec.Struct, frozen=True):
    """Webhook messages that are not delivered yet, and the age of the oldest."""

    waiting: int = 0
    oldest_seconds: float = 0.0


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the database."""

    jobs: Sequence[OpenJobs]
    outbox: Outbox
    spent: Sequence[Spent]
    held_seconds: Mapping[str, float]
    """For how much longer a provider wants to be left alone."""


def queued_by_project(jobs: Sequence[OpenJobs]) -> Mapping[str, int]:
    """Queued jobs of the projects with the most of them, and of all others together."""
    queued: Counter[str] = Counter()
    for one in jobs:
        if one.status is JobStatus.QUEUED:
            queued[one.project_id] += one.count
    named = dict(queued.most_common(MOST_PROJECTS))
    rest = queued.total() - sum(named.values())
    return named | ({OTHERS: rest} if rest else {})
