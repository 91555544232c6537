"""Spend limits: what a key and its project may commit to in all."""

from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.errors import SpendLimitReached
from app.storage import evaluations, keys, ledger, projects, tenancy


async def hold_to_limits(connection: AsyncConnection, amount: Decimal | None) -> None:
    """Refuse to commit to so many US dollars where a limit would be passed.

    In the transaction that commits to it: the project's row is held, so that of two who come at
    once the second one sees what the first has committed. What nobody can price (None) is let
    through while something is left. Raises `SpendLimitReached`.
    """
    at_work = tenancy.tenant()
    project = await projects.get(connection, at_work.project_id)
    limits: dict[str, tuple[Decimal | None, str | None]] = {}
    limits[f"the project {project.id}"] = (project.spend_limit_usd, None)
    if at_work.key_id is not None:
        key = await keys.get(connection, at_work.key_id)
        limits[f"the key {key.name}"] = (key.spend_limit_usd, key.id)
    if all(limit is None for limit, _ in limits.values()):
        return
    await projects.hold(connection, project.id)
    for whose, (limit, key_id) in limits.items():
        if limit is not None:
            _check(whose, limit, await committed(connection, key_id), amount)


async def committed(connection: AsyncConnection, key_id: str | None = None) -> Decimal:
    """What the project at work, or one of its keys, has spent and promised to spend."""
    booked = await ledger.committed(connection, key_id=key_id)
    return booked + await evaluations.promised(connection, key_id=key_id)


def _check(whose: str, limit: Decimal, spent: Decimal, amount: Decimal | None) -> None:
    is_over = spent >= limit if amount is None else spent + amount > limit
    if is_over:
        asked = "this has no price" if amount is None else f"this may cost {amount} USD"
        raise SpendLimitReached(
            f"Of the {limit} USD that {whose} may spend {spent} are spent or promised, and {asked}."
        )
