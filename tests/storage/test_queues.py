"""The queues of the chores: what an index says in SQL is what the domain says."""

from itertools import product

from sqlalchemy import text

from app.domain import decide
from app.domain.jobs import AT_PROVIDER, Desired
from app.storage import jobs
from app.storage.database import Database


async def test_a_job_is_as_desired_in_sql_where_it_is_so_in_the_domain(database: Database) -> None:
    asked = text(
        f"SELECT CASE WHEN {jobs.AS_DESIRED} THEN 1 ELSE 0 END FROM "
        "(SELECT CAST(:desired AS TEXT) AS desired, CAST(:status AS TEXT) AS status) AS job"
    )
    async with database.read() as connection:
        for desired, status in product(Desired, sorted(AT_PROVIDER)):
            found = await connection.execute(asked, {"desired": desired, "status": status})
            is_as_desired = found.scalar_one() == 1
            assert is_as_desired == (status in decide.AS_DESIRED[desired]), (desired, status)
