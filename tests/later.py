"""What the migration of a version that is not written yet leaves in a database."""

from sqlalchemy import text

from app.storage.database import Database

ADDITIONS = (
    "ALTER TABLE jobs ADD COLUMN of_later VARCHAR",
    "ALTER TABLE models ADD COLUMN of_later VARCHAR DEFAULT 'unsaid' NOT NULL",
    "CREATE INDEX ix_jobs_of_later ON jobs (of_later)",
    "CREATE TABLE of_later (job_id VARCHAR REFERENCES jobs (id))",
    "UPDATE alembic_version SET version_num = 'from_later'",
)


async def expand(database: Database) -> None:
    """A revision that only adds: this version may go on."""
    await _execute(database, *ADDITIONS)


async def contract(database: Database) -> None:
    """The word of a revision that took something away which this version uses."""
    await _execute(database, "UPDATE schema_readers SET oldest = 'also_later'")


async def _execute(database: Database, *statements: str) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))
