"""The queues of the chores: what an index says in SQL is what the domain says."""

import sqlite3
from contextlib import closing
from itertools import product

import pytest

from app.domain import decide
from app.domain.jobs import AT_PROVIDER, Desired, JobStatus
from app.storage import jobs


@pytest.mark.parametrize(("desired", "status"), product(Desired, sorted(AT_PROVIDER)))
def test_a_job_is_as_desired_in_sql_where_it_is_so_in_the_domain(
    desired: Desired, status: JobStatus
) -> None:
    found = f"SELECT {jobs.AS_DESIRED} FROM (SELECT ? AS desired, ? AS status)"
    with closing(sqlite3.connect(":memory:")) as connection:
        [is_as_desired] = connection.execute(found, [desired, status]).fetchone()

    assert bool(is_as_desired) == (status in decide.AS_DESIRED[desired])
