"""Webhook deliveries: a message on its way to an endpoint, its body, and when it is tried again.

Form, signature and the manner of retrying are those of Standard Webhooks:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import random
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.jobs import Millis
from app.domain.naming import openai_job_name
from app.domain.webhook_endpoints import WebhookFormat

TEST = "webhook.test"
"""The type of a message that somebody asked for to see whether it arrives."""

_MINUTE, _HOUR = 60, 3600

WAITS = (5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 6 * _HOUR, 10 * _HOUR)
"""Seconds after each failure: with the first try eight within a day."""

NO_SUCH_JOB = "job_" + "0" * 26
"""What a test in OpenAI's form speaks of, whose messages are always about a job."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Outcome(msgspec.Struct, frozen=True):
    """What came of one try: a status with the beginning of the answer, or why there is none."""

    status: int | None = None
    answer: str | None = None
    problem: str | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the endpoint took the message."""
        return self.status is not None and 200 <= self.status < 300


class Told(msgspec.Struct, frozen=True):
    """Something that endpoints may want to know; `subject` is the id or name of what it is about.

    `status` is the subject's, where it has one.
    """

    type: str
    subject: str
    status: str | None = None
    details: dict[str, Any] = {}


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one endpoint; `number` grows in the order in which things happened."""

    number: int
    id: str
    endpoint_id: str
    event_id: str
    """The message's id, which every try and every other endpoint carries as well."""

    type: str
    subject: str
    status: str | None
    details: dict[str, Any]
    at: Millis
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    outcome: Outcome = Outcome()
    """Of the latest try."""

    next_at: Millis | None = None
    delivered_at: Millis | None = None
    epoch: int = 0


class DeliveryChange(msgspec.Struct, frozen=True):
    """What to write after a try; nobody tries again where `try_again_in` (seconds) is None."""

    state: DeliveryState
    try_again_in: float | None = None


def after_try(delivery: Delivery, outcome: Outcome, chance: random.Random) -> DeliveryChange:
    """Delivered, to be tried again, or given up."""
    if outcome.is_delivered:
        return DeliveryChange(DeliveryState.DELIVERED)
    if outcome.status == 410 or delivery.attempts >= len(WAITS):
        return DeliveryChange(DeliveryState.DEAD)
    # Spread a little, so that what failed together does not come back together.
    wait = WAITS[delivery.attempts] * (1 + chance.random() / 10)
    return DeliveryChange(DeliveryState.PENDING, wait)


def message(delivery: Delivery, format: WebhookFormat) -> dict[str, Any]:
    """What is sent: the same at every try."""
    if format is WebhookFormat.OPENAI:
        return _openai_message(delivery)
    status = {} if delivery.status is None else {"status": delivery.status}
    return {
        "type": delivery.type,
        "timestamp": _rfc3339(delivery.at),
        "data": {"id": delivery.subject, **status, "details": delivery.details},
    }


def body(delivery: Delivery, format: WebhookFormat) -> bytes:
    """The message as it is signed and sent."""
    return msgspec.json.encode(message(delivery, format))


def _openai_message(delivery: Delivery) -> dict[str, Any]:
    is_test = delivery.type == TEST
    type_, job = ("job.succeeded", NO_SUCH_JOB) if is_test else (delivery.type, delivery.subject)
    return {
        "id": delivery.event_id,
        "object": "event",
        "created_at": delivery.at // 1000,
        "type": f"fine_tuning.{type_}",
        "data": {"id": openai_job_name(job)},
    }


def _rfc3339(moment: Millis) -> str:
    written = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
