"""What lies in a workspace: its trainings, the files that they read, and what they left."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from app.domain.jobs import Millis
from app.domain.provider import FoundFile, FoundJob, FoundModel, Inventory, RemoteState
from app.providers.azure_ml.account import Account
from app.providers.azure_ml.listed import Listed, listed, millis
from app.providers.azure_ml.refusals import fetching, looking
from app.providers.azure_ml.resources import Resources
from app.providers.azure_ml.staging import address
from app.providers.azure_ml.storehouse import Storehouse
from app.providers.azure_ml.translate import STATES

_Created = TypeVar("_Created", FoundFile, FoundModel)


class Model(msgspec.Struct, frozen=True):
    """A registered model, by the handle that its artefact would have."""

    handle: str
    created_at: Millis


class Stock:
    """The trainings of a workspace, and what they name: other files and models are left alone."""

    def __init__(self, account: Account, resources: Resources) -> None:
        self._account = account
        self._resources = resources

    async def inventory(self, since: Millis) -> Inventory:
        """All that was created since then, each list oldest first.

        Of files there are those of the default datastore, and data assets that lie in it.
        """
        with looking():
            await self._account.open()
            jobs = await self._account.run(self._jobs)
            models = await self._models(jobs)
            recent = [job for job in jobs if job.created_at >= since]
            files = await self._files(recent)
        bases = _bases(jobs, models)
        return Inventory(
            jobs=[_found(job, bases, models, files) for job in recent],
            files=_recent({file.id: file for file in files.values()}.values(), since),
            models=_recent(_tuned(jobs, bases, models), since),
        )

    async def content(self, file_id: str) -> AsyncIterator[bytes]:
        """A file as it lies in the default datastore."""
        path = file_id.partition("/paths/")[2]
        with fetching():
            await self._account.open()
            pieces = await self._account.run(self._pieces, path)
            while piece := await self._account.run(next, pieces, b""):
                yield piece

    async def left_by(self, job: str, *, output: str) -> str | None:
        """The handle of the model that a job registered under a name; None where it is gone."""
        with looking():
            models = await self._account.run(self._registered, output)
        return models[job].handle if job in models else None

    def _jobs(self) -> list[Listed]:
        found = (listed(job, self._account.scope) for job in self._resources.jobs())
        return sorted((job for job in found if job), key=lambda job: job.created_at)

    async def _models(self, jobs: Sequence[Listed]) -> dict[str, Model]:
        """By the names of jobs, what they left and is still there."""
        names = sorted({job.output for job in jobs if job.output and _has_succeeded(job)})
        found = await asyncio.gather(*(self._account.run(self._registered, name) for name in names))
        return {job: model for each in found for job, model in each.items()}

    def _registered(self, name: str) -> dict[str, Model]:
        # Ours are named after their jobs, should Azure not say whose a model is.
        return {
            one["properties"].get("jobName") or name: Model(f"{name}:{one['name']}", millis(one))
            for one in self._resources.versions(name)
        }

    async def _files(self, jobs: Sequence[Listed]) -> dict[str, FoundFile]:
        """By the addresses that jobs have for them, the files that are still there."""
        named = sorted({one for job in jobs for one in (job.training, job.validation) if one})
        found = await asyncio.gather(*(self._account.run(self._file, one) for one in named))
        return {one: file for one, file in zip(named, found, strict=True) if file is not None}

    def _file(self, uri: str) -> FoundFile | None:
        from azure.core.exceptions import ResourceNotFoundError

        store = self._storehouse()
        asset = store.asset(uri)
        if asset is not None:
            uri = (self._resources.data(asset.name, asset.version) or {}).get("dataUri", "")
        path = store.path(uri)
        if path is None:
            return None
        try:
            seen = self._account.container.get_blob_client(path).get_blob_properties()
        except ResourceNotFoundError:
            return None
        name = f"{asset.name}.jsonl" if asset else path.rpartition("/")[2]
        created: datetime = seen.creation_time
        return FoundFile(
            id=address(store.datastore, path),
            name=name,
            created_at=int(created.timestamp() * 1000),
        )

    def _pieces(self, path: str) -> Iterator[bytes]:
        return self._account.container.download_blob(path).chunks()

    def _storehouse(self) -> Storehouse:
        datastore = self._account.datastore
        return Storehouse(
            scope=self._account.scope,
            datastore=datastore.name,
            account=datastore.account_name,
            container=datastore.container_name,
        )


def _bases(jobs: Sequence[Listed], models: Mapping[str, Model]) -> dict[str, str]:
    """By the sources that trained models are, what they were first trained from; oldest first."""
    bases: dict[str, str] = {}
    for job in jobs:
        if job.remote.id in models:
            source = f"azureml:{models[job.remote.id].handle}"
            bases[source] = bases.get(job.source, job.source)
    return bases


def _found(
    job: Listed,
    bases: Mapping[str, str],
    models: Mapping[str, Model],
    files: Mapping[str, FoundFile],
) -> FoundJob:
    training, validation = files.get(job.training or ""), files.get(job.validation or "")
    model = models.get(job.remote.id)
    return FoundJob(
        remote=job.remote,
        state=_state(job),
        base_model=bases.get(job.source, job.source),
        method=job.method,
        name=job.name,
        seed=job.seed,
        training_file=training.id if training else None,
        validation_file=validation.id if validation else None,
        key=job.key,
        artifact=model.handle if model else None,
        created_at=job.created_at,
    )


def _tuned(
    jobs: Sequence[Listed], bases: Mapping[str, str], models: Mapping[str, Model]
) -> Iterator[FoundModel]:
    for job in jobs:
        model = models.get(job.remote.id)
        if model is not None:
            yield FoundModel(
                artifact=model.handle,
                name=job.name or model.handle,
                base_model=bases.get(job.source, job.source),
                created_at=model.created_at,
            )


def _recent(things: Iterable[_Created], since: Millis) -> list[_Created]:
    """Those that were created since then, oldest first."""
    return sorted(
        (thing for thing in things if (thing.created_at or 0) >= since),
        key=lambda thing: thing.created_at or 0,
    )


def _state(job: Listed) -> RemoteState:
    return STATES.get(job.remote.status or "", RemoteState.UNKNOWN)


def _has_succeeded(job: Listed) -> bool:
    return _state(job) is RemoteState.SUCCEEDED
