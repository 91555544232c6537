"""Hosting: that a tuned model is deployed, as it is wished and as it was seen last."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.access import DEFAULT_PROJECT
from app.domain.jobs import Millis
from app.domain.ledger import Entry, EntryKind
from app.domain.provider import Deployment, DeploymentState

HOUR = 3_600_000
"""Milliseconds."""

LOOK_SOON_SECONDS = 5.0
"""While the provider creates or removes a deployment."""

LOOK_SECONDS = 60.0
"""While it is as wished: how long a deployment that is gone, idle or over its time goes unseen."""


LOOK_REFUSED_SECONDS = 900.0


class HostingWish(StrEnum):
    """What the user wants."""

    DEPLOYED = "deployed"
    REMOVED = "removed"


class HostingState(StrEnum):
    """What was seen last."""

    QUEUED = "queued"
    CREATING = "creating"
    READY = "ready"
    REMOVING = "removing"
    REMOVED = "removed"
    FAILED = "failed"


class Hosting(msgspec.Struct, frozen=True, kw_only=True):
    """A model's deployment; `id` is the model's. Times are `Millis`."""

    id: str
    project_id: str = DEFAULT_PROJECT
    key_id: str | None = None
    provider: str
    base_model: str
    artifact: str
    job_id: str | None = None
    tags: dict[str, str] = {}

    desired: HostingWish
    wished_at: Millis
    tier: str | None = None
    ttl_hours: float | None = None
    idle_hours: float | None = None

    state: HostingState
    detail: str | None = None
    name: str | None = None
    since: Millis | None = None
    """From when on it has to be paid; None while nothing is there."""

    seen_at: Millis | None = None
    ends_at: Millis | None = None
    usd_per_hour: Decimal | None = None
    used_at: Millis | None = None
    """When it was asked last, to the minute."""

    failures: int = 0
    epoch: int = 0

    @property
    def expires_at(self) -> Millis | None:
        """When its time is over, by the wish or by the provider's own rule."""
        ends = [] if self.ends_at is None else [self.ends_at]
        if self.ttl_hours is not None:
            ends.append(self.wished_at + int(self.ttl_hours * HOUR))
        return min(ends, default=None)


@dataclass(frozen=True)
class HostingChange:
    """What to write; `told` is a notice's type and data.

    Nobody looks again where `look_again_in` (seconds) is None.
    """

    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    told: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    look_again_in: float | None = None
    cost: Entry | None = None


def why_over(hosting: Hosting, now: Millis) -> str | None:
    """Why there is to be no deployment: `request`, `ttl`, `idle`; None where there is to be one."""
    if hosting.desired is HostingWish.REMOVED:
        return hosting.detail if hosting.detail in _OVER else "request"
    if hosting.ttl_hours is not None and now >= hosting.wished_at + hosting.ttl_hours * HOUR:
        return "ttl"
    if hosting.idle_hours is None:
        return None
    last = max(hosting.used_at or 0, hosting.wished_at)
    return "idle" if now >= last + hosting.idle_hours * HOUR else None


def after_look(hosting: Hosting, seen: Deployment, now: Millis, *, lost: bool) -> HostingChange:
    """What the sight of a deployment changes; `lost` says that the one before it was gone."""
    since = None if lost else hosting.since
    state = _STATES[seen.state]
    begun = since or max(hosting.wished_at, seen.since or now)
    changes: dict[str, Any] = {
        "state": state,
        "detail": seen.detail,
        "name": seen.name,
        "since": None if state is HostingState.FAILED else begun,
        "seen_at": now,
        "ends_at": seen.ends_at,
        "usd_per_hour": seen.usd_per_hour,
        "failures": 0,
    }
    told: list[tuple[str, Mapping[str, Any]]] = []
    if lost:
        told.append(("model.deployment_lost", {"name": hosting.name, "seen_at": hosting.seen_at}))
    if state is not hosting.state and state in _TOLD:
        told.append((_TOLD[state], {"name": seen.name, "detail": seen.detail}))
    known = msgspec.structs.replace(hosting, **changes)
    return HostingChange(changes, tuple(told), _WAITS[state], cost(known, now))


def after_removal(
    hosting: Hosting, seen: Deployment | None, now: Millis, *, why: str
) -> HostingChange:
    """What a removal has come to; it is over once nothing is seen any more."""
    changes: dict[str, Any] = {"desired": HostingWish.REMOVED, "detail": why, "failures": 0}
    if seen is not None:
        changes |= {"state": HostingState.REMOVING, "seen_at": now}
        return HostingChange(changes, (), LOOK_SOON_SECONDS, cost(hosting, now))
    changes |= {"state": HostingState.REMOVED, "since": None, "ends_at": None}
    told = ("model.undeployed", {"name": hosting.name, "reason": why})
    return HostingChange(changes, (told,), None, cost(hosting, now))


def after_refusal(hosting: Hosting, message: str) -> HostingChange:
    """The provider will not; what costs money or is to go is looked at again nevertheless."""
    changes = {"state": HostingState.FAILED, "detail": message}
    told = ("model.deployment_failed", {"detail": message})
    is_over = hosting.desired is HostingWish.DEPLOYED and hosting.since is None
    return HostingChange(
        changes,
        () if hosting.state is HostingState.FAILED else (told,),
        None if is_over else LOOK_REFUSED_SECONDS,
    )


def cost(hosting: Hosting, now: Millis) -> Entry | None:
    """What the deployment has cost since it is there; None where nothing is."""
    if hosting.since is None:
        return None
    price, ttl = hosting.usd_per_hour, hosting.ttl_hours
    hours = Decimal(max(now - hosting.since, 0)) / HOUR
    return Entry(
        key=f"hosting:{hosting.id}:{hosting.since}",
        at=hosting.since,
        kind=EntryKind.HOSTING,
        provider=hosting.provider,
        base_model=hosting.base_model,
        job_id=hosting.job_id,
        model_id=hosting.id,
        tags=hosting.tags,
        quoted_usd=None if price is None or ttl is None else price * Decimal(repr(ttl)),
        actual_usd=None if price is None else price * hours,
    )


_OVER = ("request", "ttl", "idle")

_STATES: Mapping[DeploymentState, HostingState] = {
    DeploymentState.CREATING: HostingState.CREATING,
    DeploymentState.READY: HostingState.READY,
    DeploymentState.DELETING: HostingState.REMOVING,
    DeploymentState.FAILED: HostingState.FAILED,
    DeploymentState.UNKNOWN: HostingState.CREATING,
}

_TOLD: Mapping[HostingState, str] = {
    HostingState.READY: "model.deployed",
    HostingState.FAILED: "model.deployment_failed",
}

_WAITS: Mapping[HostingState, float | None] = {
    HostingState.CREATING: LOOK_SOON_SECONDS,
    HostingState.READY: LOOK_SECONDS,
    HostingState.REMOVING: LOOK_SOON_SECONDS,
    HostingState.FAILED: None,
}
