"""Imports: jobs, files and models that are at a provider already become ours, each once.

Providers are asked with no transaction open. Every thing is adopted in a transaction of its own,
so that an import that breaks off is finished by the next one.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.datasets import DatasetRef
from app.domain.errors import (
    LuthierError,
    OperationNotSupported,
    ProviderNotConfigured,
    ProviderUnavailable,
    Steer,
    Unavailable,
)
from app.domain.files import dataset_name
from app.domain.idempotency import Idempotency
from app.domain.imports import Adopted, Import, Kind, Refused, adopted_job, adopted_model
from app.domain.jobs import Millis, job_of
from app.domain.provider import (
    FoundFile,
    FoundJob,
    FoundModel,
    Importing,
    Inventory,
    Operation,
    Provider,
)
from app.services import recipes
from app.services.created import Created
from app.services.datasets import Datasets
from app.services.once import once_after
from app.services.vendors import asked_now
from app.storage import datasets, imports, jobs, models, orphans
from app.storage.database import Database
from app.storage.ids import new_id
from app.storage.imports import AlreadyImported, Imported
from app.storage.signals import WORK_DUE, Signals
from app.storage.tenancy import as_service

INVENTORY_SECONDS = 300.0
"""Beyond it the provider is taken for unreachable."""


class WantedImport(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for; `limit` is how many things are taken over at the most."""

    kinds: frozenset[Kind]
    since: Millis
    limit: int


class Imports:
    """What a user does with what is at a provider already."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        stored: Datasets,
        signals: Signals,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._providers = providers
        self._stored = stored
        self._signals = signals
        self._clock = clock

    async def create(
        self, name: str, wanted: WantedImport, key: Idempotency | None = None
    ) -> Created[Import]:
        """Take over what is found; what is known already is only counted.

        Raises `OperationNotSupported` for a provider that cannot tell what it has, and
        `ProviderNotConfigured`, `ProviderUnavailable`.
        """

        async def make() -> Created[Import]:
            provider = self._importing(name)
            found = await _inventory(name, provider, wanted.since)
            visit = _Visit(self._database, self._stored, name, provider, wanted, self._clock)
            done = await visit.adopt(found)
            self._signals.send(WORK_DUE)
            return Created(done)

        return await once_after(self._database, key, Import, make)

    def _importing(self, name: str) -> Importing:
        provider = recipes.named(self._providers, name)
        can_import = Operation.IMPORT in provider.spec.operations
        if not can_import or not isinstance(provider, Importing):
            raise OperationNotSupported(f"{provider.spec.title} has nothing that can be imported.")
        if provider.missing:
            needed = ", ".join(provider.missing)
            raise ProviderNotConfigured(f"{provider.spec.title} is not configured: set {needed}.")
        return provider


class _Visit:
    """One import at one provider: what was found becomes ours, as far as the limit goes."""

    def __init__(
        self,
        database: Database,
        stored: Datasets,
        name: str,
        provider: Importing,
        wanted: WantedImport,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._stored = stored
        self._name = name
        self._provider = provider
        self._wanted = wanted
        self._clock = clock
        self._done: dict[Kind, list[Adopted]] = {kind: [] for kind in Kind}
        self._known = dict.fromkeys(sorted(wanted.kinds), 0)
        self._refused: list[Refused] = []
        self._left = 0

    async def adopt(self, found: Inventory) -> Import:
        """Files first, so that jobs find their datasets; then jobs, then what no job made."""
        if Kind.FILES in self._wanted.kinds:
            await self._adopt_files(found)
        if Kind.JOBS in self._wanted.kinds:
            await self._adopt_jobs(found)
        if Kind.MODELS in self._wanted.kinds:
            await self._adopt_models(found)
        return Import(
            jobs=self._done[Kind.JOBS],
            files=self._done[Kind.FILES],
            models=self._done[Kind.MODELS],
            known=self._known,
            refused=self._refused,
            left=self._left,
        )

    async def _adopt_files(self, found: Inventory) -> None:
        known = await self._imported(Kind.FILES)
        there = await self._datasets()
        for file in found.files:
            before = known.get(file.id)
            if before is not None and before.problem is not None:
                self._refused.append(msgspec.json.decode(before.problem, type=Refused))
            elif file.id in there or (before is not None and before.is_elsewhere):
                self._known[Kind.FILES] += 1
            elif self._has_room():
                await self._adopt_file(file, is_gone=before is not None)

    async def _adopt_file(self, file: FoundFile, *, is_gone: bool) -> None:
        """The file's rows as a version of the dataset of its name; wrong rows are told."""
        problem: Refused | None = None
        dataset_id: str | None = None
        try:
            dataset_id = await self._take_in(file)
        except (Steer, Unavailable) as error:
            self._refused.append(_refused(file, error))
            return
        except LuthierError as error:
            problem = _refused(file, error)
            self._refused.append(problem)
        kept = msgspec.json.encode(problem) if problem else None
        made = Imported(dataset_id, kept)

        async def write(connection: AsyncConnection) -> None:
            if is_gone:
                await imports.forget(connection, self._name, Kind.FILES, file.id)

        if await self._remember(Kind.FILES, file.id, made, write) and dataset_id is not None:
            self._done[Kind.FILES].append(Adopted(dataset_id, file.id))

    async def _take_in(self, file: FoundFile) -> str:
        """The id of a dataset with these rows: one that is there, or a new one."""
        async with (
            aclosing(self._provider.file_content(file.id)) as pieces,  # pyright: ignore[reportArgumentType] - an async generator behind every provider
            self._stored.take_in(pieces) as draft,
        ):
            async with self._database.read() as connection:
                same = await datasets.find_by_content(connection, draft.intake.sha256)
            if same is not None:
                return same.id
            return (await self._stored.keep(draft, dataset_name(file.name))).thing.id

    async def _adopt_jobs(self, found: Inventory) -> None:
        known = await self._imported(Kind.JOBS)
        there = await self._datasets()
        ours = await self._ours(found)
        for job in found.jobs:
            if job.remote.id in known or job.key in ours:
                self._known[Kind.JOBS] += 1
            elif self._has_room():
                await self._adopt_job(job, there)

    async def _adopt_job(self, found: FoundJob, there: Mapping[str, DatasetRef]) -> None:
        job, event = adopted_job(
            found,
            id=new_id("job"),
            provider=self._name,
            training=there.get(found.training_file or ""),
            validation=there.get(found.validation_file or ""),
            now=self._clock(),
        )

        async def write(connection: AsyncConnection) -> None:
            await jobs.add(connection, job, event)
            await orphans.forget(connection, self._name, found.remote.id)

        if await self._remember(Kind.JOBS, found.remote.id, Imported(job.id), write):
            self._done[Kind.JOBS].append(Adopted(job.id, found.remote.id))

    async def _adopt_models(self, found: Inventory) -> None:
        known = await self._imported(Kind.MODELS)
        there = await self._datasets()
        makers = {job.artifact: job for job in found.jobs if job.artifact}
        watched = await self._watched(found)
        for model in found.models:
            maker = makers.get(model.artifact)
            is_coming = maker is not None and maker.remote.id in watched
            if model.artifact in known or is_coming or await self._has_model(model.artifact):
                self._known[Kind.MODELS] += 1
            elif self._has_room():
                await self._adopt_model(model, maker, there)

    async def _adopt_model(
        self, found: FoundModel, maker: FoundJob | None, there: Mapping[str, DatasetRef]
    ) -> None:
        model = adopted_model(
            found,
            maker,
            id=new_id("model"),
            provider=self._name,
            training=there.get(maker.training_file or "") if maker else None,
            now=self._clock(),
        )

        async def write(connection: AsyncConnection) -> None:
            await models.add(connection, model)

        if await self._remember(Kind.MODELS, found.artifact, Imported(model.id), write):
            # The handle stays here; the name is what a person knows the model by.
            self._done[Kind.MODELS].append(Adopted(model.id, found.name))

    async def _imported(self, kind: Kind) -> Mapping[str, Imported]:
        async with self._database.read() as connection:
            return await imports.all_of(connection, self._name, kind)

    async def _datasets(self) -> dict[str, DatasetRef]:
        """By the provider's file ids, the datasets that are still there."""
        known = await self._imported(Kind.FILES)
        ids = [one.local_id for one in known.values() if one.local_id is not None]
        async with self._database.read() as connection:
            found = await datasets.find_many(connection, ids)
        return {
            remote: found[one.local_id].ref
            for remote, one in known.items()
            if one.local_id in found
        }

    async def _ours(self, found: Inventory) -> set[str]:
        """The submission keys among them that belong to jobs of this service, in any project."""
        named = {job.key: job_of(job.key) for job in found.jobs if job.key}
        ids = {of[0] for of in named.values() if of is not None}
        with as_service():
            async with self._database.read() as connection:
                known = await jobs.find_many(connection, sorted(ids))
        return {key for key, of in named.items() if of is not None and of[0] in known}

    async def _watched(self, found: Inventory) -> set[str]:
        """The provider's ids of jobs that are here: their models are born with their success."""
        imported, ours = await self._imported(Kind.JOBS), await self._ours(found)
        return {job.remote.id for job in found.jobs if job.remote.id in imported or job.key in ours}

    async def _has_model(self, artifact: str) -> bool:
        with as_service():
            async with self._database.read() as connection:
                return await models.find_artifact(connection, self._name, artifact) is not None

    async def _remember(
        self,
        kind: Kind,
        remote_id: str,
        made: Imported,
        write: Callable[[AsyncConnection], Awaitable[None]],
    ) -> bool:
        """Write it once; whether this import was the one that did."""
        try:
            async with self._database.write() as connection:
                await write(connection)
                await imports.add(connection, self._name, kind, remote_id, made)
        except AlreadyImported:
            self._known[kind] += 1
            return False
        return True

    def _has_room(self) -> bool:
        taken = sum(len(done) for done in self._done.values())
        if taken < self._wanted.limit:
            return True
        self._left += 1
        return False


async def _inventory(name: str, provider: Importing, since: Millis) -> Inventory:
    async with asked_now(name, "inventory", seconds=INVENTORY_SECONDS):
        return await provider.inventory(since)


def _refused(file: FoundFile, error: Exception) -> Refused:
    if isinstance(error, Unavailable) or not isinstance(error, LuthierError):
        return Refused(
            kind=Kind.FILES,
            remote=file.id,
            name=file.name,
            code=ProviderUnavailable.code,
            message=str(error),
        )
    return Refused(
        kind=Kind.FILES,
        remote=file.id,
        name=file.name,
        code=error.code,
        message=error.detail,
        faults=error.faults[:20],
    )
