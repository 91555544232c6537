"""The guard of tenancy: no request may touch rows of a project without saying of which one."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Delete, Engine, Select, Table, Update, event
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, ColumnClause
from starlette.types import ASGIApp, Receive, Scope, Send

from app.storage import tenancy

_in_request: ContextVar[bool] = ContextVar("in_request", default=False)


def guarded(app: ASGIApp) -> ASGIApp:
    """The application; while it answers, statements are looked at."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        token = _in_request.set(scope["type"] == "http")
        try:
            await app(scope, receive, send)
        finally:
            _in_request.reset(token)

    return answering


@contextmanager
def watching() -> Generator[None]:
    """Let statements without their project fail while the block lasts."""
    event.listen(Engine, "before_execute", _look)
    try:
        yield
    finally:
        event.remove(Engine, "before_execute", _look)


def unnamed(statement: Any) -> set[str]:
    """The tables of a statement that belong to projects and whose project it does not name."""
    parts = list(visitors.iterate(statement))
    compared = {
        side.table
        for part in parts
        if isinstance(part, BinaryExpression)
        for side in (part.left, part.right)
        if isinstance(side, ColumnClause) and side.name == "project_id"
    }
    return {
        table.name
        for part in parts
        for table in _touched(part)
        if "project_id" in table.c and table not in compared
    }


def _look(connection: Any, statement: Any, *_: Any) -> None:
    if _in_request.get() and not tenancy.is_service() and not isinstance(statement, str):
        forgotten = unnamed(statement)
        assert not forgotten, f"of which project? {forgotten} in {statement}"


def _touched(part: Any) -> set[Table]:
    if isinstance(part, Update | Delete):
        return {part.table} if isinstance(part.table, Table) else set()
    if not isinstance(part, Select):
        return set()
    froms = part.get_final_froms()
    return {one for whole in froms for one in visitors.iterate(whole) if isinstance(one, Table)}
