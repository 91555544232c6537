"""The outbox: a row for every endpoint that wants an event, in the transaction that tells it.

A delivery waits while an earlier one about the same thing is on its way to the same endpoint.
There is no foreign key: whoever tells something must not wait for, or fail over, an endpoint that
is just being removed.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Index,
    RowMapping,
    and_,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.domain.errors import DeliveryNotFound
from app.domain.jobs import Millis
from app.domain.webhook_deliveries import Delivery, DeliveryChange, DeliveryState, Outcome, Told
from app.domain.webhook_endpoints import WebhookEndpoint
from app.storage import leases, webhook_endpoints
from app.storage.base import Json, Row, database_now
from app.storage.ids import new_id
from app.storage.webhook_endpoints import WebhookEndpointRow

PENDING = "state = 'pending'"


class WebhookDeliveryRow(leases.Leased, Row):
    """The columns are the fields of `domain.webhook_deliveries.Delivery`, and the lease.

    `number` is taken under the lock of what the event is about, so that its order is the events'.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(
            "ix_webhook_deliveries_due",
            "next_at",
            postgresql_where=text(PENDING),
            sqlite_where=text(PENDING),
        ),
        Index(
            "ix_webhook_deliveries_line",
            "endpoint_id",
            "subject",
            "number",
            postgresql_where=text(PENDING),
            sqlite_where=text(PENDING),
        ),
        Index("ix_webhook_deliveries_endpoint_id_number", "endpoint_id", "number"),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    endpoint_id: Mapped[str]
    event_id: Mapped[str]
    type: Mapped[str]
    subject: Mapped[str]
    status: Mapped[str | None]
    details: Mapped[Any] = mapped_column(Json)
    at: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    attempts: Mapped[int]
    outcome: Mapped[Any] = mapped_column(Json)
    delivered_at: Mapped[int | None] = mapped_column(BigInteger)


async def tell(connection: AsyncConnection, told: Sequence[Told], *, project_id: str) -> None:
    """Put what happened in a project, in its order, into the outbox of whoever wants it."""
    endpoints = await webhook_endpoints.enabled(connection, project_id)
    messages = [(one, new_id("evt")) for one in told] if endpoints else []
    rows = [
        _row(endpoint.id, one, event_id)
        for one, event_id in messages
        for endpoint in endpoints
        if endpoint.wants(one.type)
    ]
    if rows:
        await connection.execute(_ADD, rows)


async def tell_one(connection: AsyncConnection, endpoint: WebhookEndpoint, told: Told) -> Delivery:
    """Put a message for one endpoint into the outbox, whether it wants the type or not."""
    row = _row(endpoint.id, told, new_id("evt"))
    await connection.execute(_ADD, [row])
    return await get(connection, endpoint.id, row["id"])


async def get(connection: AsyncConnection, endpoint_id: str, delivery_id: str) -> Delivery:
    """A delivery of an endpoint; raises `DeliveryNotFound`."""
    found = await connection.execute(
        select(*WebhookDeliveryRow.__table__.c).where(
            WebhookDeliveryRow.id == delivery_id, WebhookDeliveryRow.endpoint_id == endpoint_id
        )
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise DeliveryNotFound(f"There is no delivery {delivery_id!r} to this webhook.")
    return _delivery(row)


async def list_page(
    connection: AsyncConnection,
    endpoint_id: str,
    *,
    state: DeliveryState | None,
    before: int | None,
    limit: int,
) -> list[Delivery]:
    """At most `limit` deliveries to an endpoint, newest first, with a number below `before`."""
    query = select(*WebhookDeliveryRow.__table__.c).where(
        WebhookDeliveryRow.endpoint_id == endpoint_id
    )
    if state is not None:
        query = query.where(WebhookDeliveryRow.state == state)
    if before is not None:
        query = query.where(WebhookDeliveryRow.number < before)
    found = await connection.execute(query.order_by(WebhookDeliveryRow.number.desc()).limit(limit))
    return [_delivery(row) for row in found.mappings()]


_EARLIER = aliased(WebhookDeliveryRow)
_FIRST_IN_LINE = (
    select(func.min(_EARLIER.number))
    .where(
        _EARLIER.endpoint_id == WebhookDeliveryRow.endpoint_id,
        _EARLIER.subject == WebhookDeliveryRow.subject,
        _EARLIER.state == text("'pending'"),
    )
    .correlate(WebhookDeliveryRow)
    .scalar_subquery()
)
_AWAITING = select(WebhookEndpointRow.id).where(
    WebhookEndpointRow.enabled,
    or_(WebhookEndpointRow.rest_until.is_(None), WebhookEndpointRow.rest_until <= database_now()),
)
_IS_SENDABLE = and_(
    text(f"webhook_deliveries.{PENDING}"),
    WebhookDeliveryRow.endpoint_id.in_(_AWAITING),
    WebhookDeliveryRow.number == _FIRST_IN_LINE,
)


async def is_any_due(connection: AsyncConnection) -> bool:
    """Whether a claim would find something: a glance that needs no writer's place."""
    found = await connection.execute(
        select(WebhookDeliveryRow.number)
        .where(_IS_SENDABLE, WebhookDeliveryRow.next_at <= database_now())
        .limit(1)
    )
    return found.scalar_one_or_none() is not None


async def claim(
    connection: AsyncConnection, *, owner: str, limit: int
) -> list[tuple[Delivery, Millis]]:
    """Take due deliveries, each with the database's time of the claim."""
    rows = await leases.claim(
        connection, WebhookDeliveryRow, where=_IS_SENDABLE, owner=owner, limit=limit
    )
    return [(_delivery(row), row["claimed_at"]) for row in rows]


async def apply(
    connection: AsyncConnection, delivery: Delivery, change: DeliveryChange, outcome: Outcome
) -> bool:
    """Write what came of a try if the lease is still ours, and give the lease back."""
    is_delivered = change.state is DeliveryState.DELIVERED
    return await leases.write_fenced(
        connection,
        WebhookDeliveryRow,
        id=delivery.id,
        epoch=delivery.epoch,
        values={
            "state": change.state,
            "attempts": delivery.attempts + 1,
            "outcome": msgspec.to_builtins(outcome),
            "delivered_at": database_now() if is_delivered else None,
            "next_at": leases.in_seconds(change.try_again_in),
            "lease_owner": None,
        },
    )


async def send_again(connection: AsyncConnection, delivery: Delivery) -> None:
    """Let a delivery be due as if it had never been tried; whoever is trying it has lost it."""
    await connection.execute(
        update(WebhookDeliveryRow)
        .where(WebhookDeliveryRow.id == delivery.id)
        .values(
            state=DeliveryState.PENDING,
            attempts=0,
            delivered_at=None,
            next_at=database_now(),
            lease_owner=None,
            epoch=WebhookDeliveryRow.epoch + 1,
        )
    )


async def remove_all(connection: AsyncConnection, endpoint_id: str) -> None:
    """Forget all deliveries to an endpoint."""
    await connection.execute(
        delete(WebhookDeliveryRow).where(WebhookDeliveryRow.endpoint_id == endpoint_id)
    )


async def give_up_unwanted(connection: AsyncConnection, *, before: Millis) -> None:
    """Give up what was told before a moment and waits for an endpoint that is disabled or gone."""
    is_enabled = exists().where(
        WebhookEndpointRow.id == WebhookDeliveryRow.endpoint_id, WebhookEndpointRow.enabled
    )
    await connection.execute(
        update(WebhookDeliveryRow)
        .where(text(PENDING), WebhookDeliveryRow.at < before, not_(is_enabled))
        .values(state=DeliveryState.DEAD, next_at=None, epoch=WebhookDeliveryRow.epoch + 1)
    )


async def remove_old(connection: AsyncConnection, *, before: Millis, limit: int) -> int:
    """Forget at most `limit` that ended well or badly and were told before a moment; how many."""
    old = (
        select(WebhookDeliveryRow.number)
        .where(text(f"NOT {PENDING}"), WebhookDeliveryRow.at < before)
        .limit(limit)
    )
    done = await connection.execute(
        delete(WebhookDeliveryRow)
        .where(WebhookDeliveryRow.number.in_(old))
        .returning(WebhookDeliveryRow.number)
    )
    return len(done.all())


_ADD = insert(WebhookDeliveryRow).values(at=database_now(), next_at=database_now(), epoch=0)


def _row(endpoint_id: str, told: Told, event_id: str) -> dict[str, Any]:
    return {
        "id": new_id("whd"),
        "endpoint_id": endpoint_id,
        "event_id": event_id,
        **msgspec.to_builtins(told),
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "outcome": {},
        "lease_owner": None,
        "delivered_at": None,
    }


def _delivery(row: RowMapping) -> Delivery:
    return msgspec.convert(dict(row), Delivery)
