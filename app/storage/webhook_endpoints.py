"""Webhook endpoints: where a project wants to be told of what happens."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Index, RowMapping, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.errors import WebhookNotFound
from app.domain.webhook_endpoints import WebhookEndpoint
from app.storage.base import Json, Row
from app.storage.tenancy import Owned, mine, tenant


class WebhookEndpointRow(Owned, Row):
    """The columns are the fields of `domain.webhook_endpoints.WebhookEndpoint`."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index("ix_webhook_endpoints_project_id_id", "project_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    events: Mapped[Any] = mapped_column(Json)
    description: Mapped[str | None]
    format: Mapped[str]
    enabled: Mapped[bool]
    disabled_reason: Mapped[str | None]
    secrets: Mapped[Any] = mapped_column(Json)
    failures: Mapped[int]
    failing_since: Mapped[int | None] = mapped_column(BigInteger)
    rest_until: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, endpoint: WebhookEndpoint) -> None:
    """Store a new endpoint of the project at work."""
    values = msgspec.to_builtins(endpoint) | {"project_id": tenant().project_id}
    await connection.execute(insert(WebhookEndpointRow).values(**values))


async def get(
    connection: AsyncConnection, endpoint_id: str, *, lock: bool = False
) -> WebhookEndpoint:
    """The endpoint of that id; held against other writers until the transaction ends if `lock`.

    Raises `WebhookNotFound`.
    """
    query = select(*WebhookEndpointRow.__table__.c).where(
        WebhookEndpointRow.id == endpoint_id, mine(WebhookEndpointRow)
    )
    found = await connection.execute(query.with_for_update() if lock else query)
    row = found.mappings().one_or_none()
    if row is None:
        raise WebhookNotFound(f"There is no webhook {endpoint_id!r}.")
    return _endpoint(row)


async def find_many(
    connection: AsyncConnection, ids: Collection[str]
) -> dict[str, WebhookEndpoint]:
    """The endpoints of those ids that exist."""
    found = await connection.execute(
        select(*WebhookEndpointRow.__table__.c).where(
            WebhookEndpointRow.id.in_(ids), mine(WebhookEndpointRow)
        )
    )
    return {row["id"]: _endpoint(row) for row in found.mappings()}


async def list_page(
    connection: AsyncConnection, *, before: str | None, limit: int
) -> list[WebhookEndpoint]:
    """At most `limit` endpoints, newest first, older than the id `before`."""
    query = select(*WebhookEndpointRow.__table__.c).where(mine(WebhookEndpointRow))
    if before is not None:
        query = query.where(WebhookEndpointRow.id < before)
    found = await connection.execute(query.order_by(WebhookEndpointRow.id.desc()).limit(limit))
    return [_endpoint(row) for row in found.mappings()]


# Built once: it is asked whenever anything happens.
_ENABLED = select(*WebhookEndpointRow.__table__.c).where(
    WebhookEndpointRow.enabled, WebhookEndpointRow.project_id == bindparam("of")
)


async def enabled(connection: AsyncConnection, project_id: str) -> Sequence[WebhookEndpoint]:
    """The endpoints of a project that are sent something."""
    found = await connection.execute(_ENABLED, {"of": project_id})
    return [_endpoint(row) for row in found.mappings()]


async def write(connection: AsyncConnection, endpoint: WebhookEndpoint) -> None:
    """Store what changed of an endpoint that is locked."""
    await connection.execute(
        update(WebhookEndpointRow)
        .where(WebhookEndpointRow.id == endpoint.id, mine(WebhookEndpointRow))
        .values(**msgspec.to_builtins(endpoint))
    )


async def recover(connection: AsyncConnection, endpoint_id: str) -> None:
    """It took a message: what it refused before counts no more."""
    await connection.execute(
        update(WebhookEndpointRow)
        .where(
            WebhookEndpointRow.id == endpoint_id,
            WebhookEndpointRow.failing_since.is_not(None),
            mine(WebhookEndpointRow),
        )
        .values(failures=0, failing_since=None, rest_until=None)
    )


async def remove(connection: AsyncConnection, endpoint_id: str) -> None:
    """Forget an endpoint whose deliveries are gone."""
    await connection.execute(
        delete(WebhookEndpointRow).where(
            WebhookEndpointRow.id == endpoint_id, mine(WebhookEndpointRow)
        )
    )


def _endpoint(row: RowMapping) -> WebhookEndpoint:
    return msgspec.convert(dict(row), WebhookEndpoint)
