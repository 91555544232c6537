"""Webhook endpoints: who is told of what, in which form, with which secrets, and how they fare."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from app.domain.access import DEFAULT_PROJECT
from app.domain.errors import EventTypeUnknown, Fault
from app.domain.jobs import Millis

OLD_SECRET_MILLIS = 24 * 3_600_000
"""How long a secret goes on signing after a newer one has come."""

MAX_SECRETS = 4
"""Each signs every message, so that somebody who rotates all day does not fill its headers."""

DISABLED_AFTER_MILLIS = 3 * 24 * 3_600_000
"""An endpoint that has refused everything for so long is sent nothing more."""

LONGEST_REST_SECONDS = 300

FAMILIES = ("job", "evaluation", "model", "alias")

EVENT_TYPES = (
    "job.created",
    "job.imported",
    "job.submitting",
    "job.submitted",
    "job.adopted",
    "job.outcome_unknown",
    "job.running",
    "job.phase",
    "job.progress",
    "job.checkpoint",
    "job.notice",
    "job.unknown_status",
    "job.stale",
    "job.pause_requested",
    "job.pausing",
    "job.paused",
    "job.resume_requested",
    "job.resumed",
    "job.cancel_requested",
    "job.cancelling",
    "job.budget_reached",
    "job.blocked",
    "job.parked",
    "job.retried",
    "job.succeeded",
    "job.failed",
    "job.cancelled",
    "job.surplus_cancelled",
    "job.promoted",
    "job.not_promoted",
    "evaluation.created",
    "evaluation.succeeded",
    "evaluation.failed",
    "model.created",
    "model.deleted",
    "model.deployed",
    "model.undeployed",
    "model.deployment_failed",
    "model.deployment_lost",
    "model.retiring",
    "model.training_closing",
    "alias.created",
    "alias.moved",
    "alias.refused",
    "alias.rolled_back",
    "alias.gate_changed",
    "alias.deleted",
)
"""What can be asked for by name; a provider from outside may tell more, which `job.*` has too."""

OPENAI_TYPES = ("job.succeeded", "job.failed", "job.cancelled")
"""What OpenAI tells of fine-tuning jobs, by our names."""


class WebhookFormat(StrEnum):
    """The form of the messages; both are signed alike."""

    STANDARD = "standard"
    OPENAI = "openai"


class SealedSecret(msgspec.Struct, frozen=True):
    """A secret as it is stored; the one that signs without an end is the newest."""

    sealed: str
    until: Millis | None = None


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages go. `failures` counts those in a row, over all deliveries."""

    id: str
    project_id: str = DEFAULT_PROJECT
    """Written by the storage."""

    url: str
    events: list[str]
    description: str | None = None
    format: WebhookFormat = WebhookFormat.STANDARD
    enabled: bool = True
    disabled_reason: str | None = None
    secrets: list[SealedSecret]
    failures: int = 0
    failing_since: Millis | None = None
    rest_until: Millis | None = None
    created_at: Millis

    def wants(self, type: str) -> bool:
        """Whether events of this type are to be sent here."""
        if self.format is WebhookFormat.OPENAI and type not in OPENAI_TYPES:
            return False
        family, _, _ = type.partition(".")
        return type in self.events or f"{family}.*" in self.events

    def signing(self, now: Millis) -> list[str]:
        """The secrets that sign now, still sealed, the newest first."""
        valid = [one.sealed for one in self.secrets if one.until is None or now < one.until]
        return valid[::-1]


def check_events(events: Sequence[str], format: WebhookFormat) -> None:
    """Raise `EventTypeUnknown` for what is never told in this form, with the list of what is."""
    types = OPENAI_TYPES if format is WebhookFormat.OPENAI else EVENT_TYPES
    families = [f"{name}.*" for name in FAMILIES if any(one.startswith(name) for one in types)]
    possible = [*families, *types]
    faults = [
        Fault("event_type_unknown", f"There is no event {name!r}.", f"/events/{place}")
        for place, name in enumerate(events)
        if name not in possible
    ]
    if faults:
        raise EventTypeUnknown(f"What can be told is: {', '.join(possible)}.", faults=faults)


def rotated(endpoint: WebhookEndpoint, sealed: str, now: Millis) -> WebhookEndpoint:
    """The endpoint with a new secret; those before it sign for another day."""
    old = [
        msgspec.structs.replace(one, until=one.until or now + OLD_SECRET_MILLIS)
        for one in endpoint.secrets
        if one.until is None or now < one.until
    ]
    secrets = [*old, SealedSecret(sealed)][-MAX_SECRETS:]
    return msgspec.structs.replace(endpoint, secrets=secrets)


def enabled_again(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """The endpoint with a clean slate."""
    return msgspec.structs.replace(
        endpoint,
        enabled=True,
        disabled_reason=None,
        failures=0,
        failing_since=None,
        rest_until=None,
    )


def after_failure(endpoint: WebhookEndpoint, status: int | None, now: Millis) -> WebhookEndpoint:
    """The endpoint after one that it did not take: left alone for a while, or for good."""
    failures = endpoint.failures + 1
    since = endpoint.failing_since or now
    rest = min(2 ** min(failures, 16), LONGEST_REST_SECONDS) * 1000
    failed = msgspec.structs.replace(
        endpoint, failures=failures, failing_since=since, rest_until=now + rest
    )
    reason = _why_disabled(status, now - since)
    if reason is None:
        return failed
    return msgspec.structs.replace(failed, enabled=False, disabled_reason=reason)


def _why_disabled(status: int | None, failing: Millis) -> str | None:
    if status == 410:
        return "It answered 410: it is gone."
    if failing >= DISABLED_AFTER_MILLIS:
        return "It took no message for three days."
    return None
