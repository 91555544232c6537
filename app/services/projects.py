"""Projects: what keys and all other objects belong to, and how much they may spend."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
from sqlalchemy.exc import IntegrityError

from app.domain.access import Caller, Project
from app.domain.errors import ProjectExists, ProjectNotFound
from app.domain.idempotency import Idempotency
from app.services.created import Created
from app.services.once import once
from app.services.spending import committed
from app.storage import idempotency, projects
from app.storage.database import Database
from app.storage.tenancy import Tenant, working_for


class Account(msgspec.Struct, frozen=True):
    """A project, with what it has spent and promised to spend."""

    project: Project
    committed_usd: Decimal


class Projects:
    """What an admin does with projects."""

    def __init__(self, database: Database, *, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self, project_id: str, limit: Decimal | None, promised: Idempotency | None = None
    ) -> Created[Project]:
        """Begin a project; raises `ProjectExists`."""
        project = Project(id=project_id, spend_limit_usd=limit, created_at=self._clock())

        async def make() -> Created[Project]:
            try:
                async with self._database.write() as connection:
                    await idempotency.keep(connection, promised, project)
                    await projects.add(connection, project)
            except IntegrityError as error:
                raise ProjectExists(f"There is a project {project_id!r}.") from error
            return Created(project)

        return await once(self._database, promised, Project, make)

    async def get(self, caller: Caller, project_id: str) -> Account:
        """The project of that id; raises `ProjectNotFound` for one that is not the caller's."""
        _check_visible(caller, project_id)
        async with self._database.read() as connection:
            project = await projects.get(connection, project_id)
            with working_for(Tenant(project_id)):
                return Account(project, await committed(connection))

    async def list_page(
        self, caller: Caller, *, after: str | None, limit: int
    ) -> Sequence[Project]:
        """The projects that the caller may see, by id."""
        only = None if caller.governs else caller.project_id
        async with self._database.read() as connection:
            return await projects.list_page(connection, only=only, after=after, limit=limit)

    async def limit(self, project_id: str, limit: Decimal | None) -> Project:
        """Let the project spend so many US dollars in all; None for as many as it likes."""
        async with self._database.write() as connection:
            await projects.set_limit(connection, project_id, limit)
            return await projects.get(connection, project_id)


def _check_visible(caller: Caller, project_id: str) -> None:
    if project_id != caller.project_id and not caller.governs:
        raise ProjectNotFound(f"There is no project {project_id!r}.")
