"""Feedback on models' answers."""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.feedback import Feedback
from app.storage.base import Json, Row
from app.storage.tenancy import Owned, mine


class FeedbackRow(Owned, Row):
    """A piece of feedback; the columns are the fields of `domain.feedback.Feedback`."""

    __tablename__ = "feedback"

    id: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(index=True)
    messages: Mapped[Any] = mapped_column(Json)
    answer: Mapped[str]
    rating: Mapped[int]
    corrected: Mapped[str | None]
    created_at: Mapped[int] = mapped_column(BigInteger)


async def add(connection: AsyncConnection, feedback: Feedback) -> None:
    """Store a piece of feedback."""
    await connection.execute(insert(FeedbackRow).values(**msgspec.to_builtins(feedback)))


async def list_page(
    connection: AsyncConnection, *, model: str, before: str | None, limit: int
) -> list[Feedback]:
    """At most `limit` pieces on a model, newest first, older than the id `before`."""
    query = select(*FeedbackRow.__table__.c).where(FeedbackRow.model == model, mine(FeedbackRow))
    if before is not None:
        query = query.where(FeedbackRow.id < before)
    found = await connection.execute(query.order_by(FeedbackRow.id.desc()).limit(limit))
    return [msgspec.convert(dict(row), Feedback) for row in found.mappings()]


async def to_learn_from(
    connection: AsyncConnection, *, model: str, minimum_rating: int | None, limit: int
) -> list[Feedback]:
    """Feedback on a model that was corrected or is rated so well, oldest first."""
    is_wanted = FeedbackRow.corrected.is_not(None)
    if minimum_rating is not None:
        is_wanted = or_(is_wanted, FeedbackRow.rating >= minimum_rating)
    found = await connection.execute(
        select(*FeedbackRow.__table__.c)
        .where(FeedbackRow.model == model, is_wanted, mine(FeedbackRow))
        .order_by(FeedbackRow.id)
        .limit(limit)
    )
    return [msgspec.convert(dict(row), Feedback) for row in found.mappings()]
