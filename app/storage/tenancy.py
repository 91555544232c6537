"""Whose rows are seen and written: the one place that knows for which project the code works.

Every query on an `Owned` row that a request can reach names `mine(Row)`, and every row that is
inserted gets its project from here. A request works for the project of its key. The service itself,
which is the reconciler, sees everything and owns nothing: around the handling of an object it works
for the object's project. Whoever says nothing works for the default project.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec
from sqlalchemy import ColumnElement, Select, bindparam, true
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.access import DEFAULT_PROJECT


class Tenant(msgspec.Struct, frozen=True):
    """A project, and the key of it on whose account something is done, where one is known."""

    project_id: str
    key_id: str | None = None


class OnAccount(Protocol):
    """A value that remembers for whom it was made."""

    @property
    def project_id(self) -> str: ...

    @property
    def key_id(self) -> str | None: ...


_DEFAULT = Tenant(DEFAULT_PROJECT)

_at_work: ContextVar[Tenant | None] = ContextVar("tenant_at_work", default=_DEFAULT)


def owner(*, primary_key: bool = False) -> Mapped[str]:
    """The column of a row's project."""
    return mapped_column(
        default=lambda: tenant().project_id,
        server_default=DEFAULT_PROJECT,
        primary_key=primary_key,
    )


class Owned:
    """The column of every row that belongs to a project and is not found through another row."""

    project_id: Mapped[str] = owner()


class Charged(Owned):
    """A row whose costs a key answers for."""

    key_id: Mapped[str | None] = mapped_column(default=lambda: tenant().key_id)


@contextmanager
def working_for(tenant: Tenant) -> Generator[None]:
    """See and write the rows of one project while the block lasts."""
    token = _at_work.set(tenant)
    try:
        yield
    finally:
        _at_work.reset(token)


@contextmanager
def as_service() -> Generator[None]:
    """See the rows of all projects while the block lasts; an insert raises LookupError."""
    token = _at_work.set(None)
    try:
        yield
    finally:
        _at_work.reset(token)


def account_of(made: OnAccount) -> Tenant:
    """For whom something was made."""
    return Tenant(made.project_id, made.key_id)


def tenant() -> Tenant:
    """For whom the code works; raises LookupError where that is the service itself."""
    at_work = _at_work.get()
    if at_work is None:
        raise LookupError("The service itself owns nothing: say for which project this is.")
    return at_work


def mine(row: type[Owned]) -> ColumnElement[bool]:
    """The criterion of the rows that may be seen now; it holds for statements executed now."""
    at_work = _at_work.get()
    return true() if at_work is None else row.project_id == at_work.project_id


class Lookup:
    """A query on an `Owned` row that is put together once: that takes longer than to run it.

    It names by `bindparam` what `now` is given.
    """

    def __init__(self, row: type[Owned], query: Select[*tuple[Any, ...]]) -> None:
        self._all = query
        self._mine = query.where(row.project_id == bindparam("project"))

    def now(self, **given: Any) -> tuple[Select[*tuple[Any, ...]], dict[str, Any]]:
        """The statement and its parameters, for the rows that may be seen now."""
        if is_service():
            return self._all, given
        return self._mine, given | {"project": tenant().project_id}


def stamp() -> dict[str, str | None]:
    """The columns of a new `Charged` row, in place of what its value says."""
    return msgspec.structs.asdict(tenant())


def is_mine(project_id: str) -> bool:
    """Whether what was read as the service, and belongs to this project, may be seen now."""
    at_work = _at_work.get()
    return at_work is None or at_work.project_id == project_id


def is_service() -> bool:
    """Whether the code works for no project in particular."""
    return _at_work.get() is None
