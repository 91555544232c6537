"""Rows of every release so far are there, with all they said, after all later migrations."""

import asyncio
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    select,
)

from app.storage import migrating
from app.storage.database import Database, normalise

Key = tuple[str, str]
"""A revision and a table."""

NOT_OURS = {"alembic_version", "schema_readers"}

COMPUTED_ANEW = ["reports of 0002", "reports of 0003", "reports of 0004"]
"""Revision 0005 queues them again: from then on they count tokens as well."""


async def test_rows_of_each_release_survive_all_later_migrations(database_url: str) -> None:
    config = migrating.alembic_config(normalise(database_url))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    await asyncio.to_thread(command.downgrade, config, "base")
    written: dict[Key, dict[str, Any]] = {}
    database = Database(database_url)

    for revision in reversed(revisions):
        await asyncio.to_thread(command.upgrade, config, revision)
        async with database.write() as connection:
            written |= await connection.run_sync(_fill, revision)
        await database.dispose()

    async with database.read() as connection:
        changed = await connection.run_sync(_changed, written)
    assert sorted(changed) == COMPUTED_ANEW
    await database.dispose()


def _fill(connection: Connection, revision: str) -> dict[Key, dict[str, Any]]:
    """One row in every table that there is at this revision."""
    rows: dict[str, dict[str, Any]] = {}
    for table in _tables(connection):
        rows[table.name] = {column.name: _value(column, revision, rows) for column in table.c}
        connection.execute(table.insert().values(rows[table.name]))
    return {(revision, name): row for name, row in rows.items()}


def _value(column: Column[Any], revision: str, rows: dict[str, dict[str, Any]]) -> Any:
    for foreign in column.foreign_keys:
        parent = rows.get(foreign.column.table.name)
        return parent and parent[foreign.column.name]
    if isinstance(column.type, JSON):
        return {"of": revision}
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, (Float, Integer, Numeric)):
        return int(revision)
    if isinstance(column.type, LargeBinary):
        return revision.encode()
    return f"{column.name} of {revision}"


def _changed(connection: Connection, written: dict[Key, dict[str, Any]]) -> list[str]:
    """What is not as it was written, of the columns that there are still."""
    tables = {table.name: table for table in _tables(connection)}
    return [
        f"{name} of {revision}"
        for (revision, name), row in written.items()
        if not _is_there(connection, tables[name], row)
    ]


def _is_there(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    keys = [column == row[column.name] for column in table.primary_key if column.name in row]
    found = connection.execute(select(table).where(*keys)).mappings().one_or_none()
    return found is not None and all(found[name] == row[name] for name in row if name in found)


def _tables(connection: Connection) -> list[Table]:
    """Our tables as the database has them, parents first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in NOT_OURS]
