"""Tenancy itself: what the guard of all tests sees, and who may look beyond a project."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

import app
from app.storage import tenancy
from app.storage.jobs import JobRow
from app.storage.models import ModelRow
from app.storage.tenancy import Tenant, mine
from tests.tenancy_guard import unnamed

ROOT = Path(app.__file__).parent

SEE_ALL = {
    "reconciler/loop.py",
    "reconciler/writing.py",
    "services/gauges.py",
    "services/imports.py",
    "services/jobs.py",
    "services/keyring.py",
    "services/offers.py",
    "services/watching.py",
    "services/webhooks.py",
    "storage/contents.py",
    "storage/imports.py",
    "storage/notices.py",
    "storage/tenancy.py",
}
"""Each says there why it has to see more than one project."""


def test_the_guard_sees_a_forgotten_project() -> None:
    joined = select(ModelRow.id).join(JobRow, JobRow.id == ModelRow.job_id)

    assert unnamed(select(JobRow.id)) == {"jobs"}
    assert unnamed(update(JobRow).where(JobRow.id == "x").values(name="y")) == {"jobs"}
    assert unnamed(joined.where(mine(ModelRow))) == {"jobs"}
    assert unnamed(joined.where(mine(ModelRow), mine(JobRow))) == set()


def test_few_may_see_all_projects() -> None:
    files = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if _sees_all(path)}
    assert files == SEE_ALL


def test_the_service_itself_owns_nothing() -> None:
    with tenancy.as_service(), pytest.raises(LookupError):
        tenancy.tenant()


def test_whoever_works_for_a_project_does_so_until_the_end_of_the_block() -> None:
    with tenancy.working_for(Tenant("one")):
        with tenancy.working_for(Tenant("two")):
            assert tenancy.tenant().project_id == "two"
        assert tenancy.tenant().project_id == "one"
    assert tenancy.tenant().project_id == "default"


def _sees_all(path: Path) -> bool:
    return "as_service()" in path.read_text()
