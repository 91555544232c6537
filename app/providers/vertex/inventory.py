"""What lies in a project: its tuning jobs, the files that they read, and what they left."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any

from app.domain.examples import MAX_LINE_BYTES
from app.domain.jobs import Method, Millis
from app.domain.provider import FoundFile, FoundJob, FoundModel, Inventory, RemoteState
from app.providers.vertex.account import TIMEOUT_SECONDS, Account
from app.providers.vertex.artifacts import Tuned
from app.providers.vertex.plans import LABEL, SPECS
from app.providers.vertex.refusals import fetching, looking
from app.providers.vertex.restoring import Restoration
from app.providers.vertex.training import Training
from app.providers.vertex.translate import effective, remote_of, state_of, tuned_of

BYTES_AT_A_TIME = 1024 * 1024

DOWNLOAD_SECONDS = 300
"""How long Cloud Storage may be silent within a file."""

_METHODS = {theirs: ours for ours, theirs in SPECS.items()}


class Stock:
    """Jobs, files and models of one account, each list oldest first.

    Google has no way to delete a job: every tuned model and training file is named by one.
    """

    def __init__(self, account: Account, training: Training) -> None:
        self._account = account
        self._training = training

    async def inventory(self, since: Millis) -> Inventory:
        """All that was created since then; files that cannot be read are left out."""
        jobs = await self._training.listed()
        bases = _bases(jobs)
        with looking():
            # Made before several threads ask for them.
            await self._account.run(lambda: (self._account.models, self._account.storage))
            there = await self._there([job for job in jobs if _ended(job) >= since])
            recent = [job for job in jobs if _began(job) >= since]
            files = await self._files(recent)
        return Inventory(
            jobs=[_found(job, bases, there) for job in recent],
            files=sorted(
                (file for file in files if (file.created_at or 0) >= since),
                key=lambda file: file.created_at or 0,
            ),
            models=sorted(
                (_model(job, tuned, bases) for tuned, job in there.items()),
                key=lambda model: model.created_at or 0,
            ),
        )

    async def content(self, address: str) -> AsyncIterator[bytes]:
        """The rows of an object as examples; raises `DatasetInvalid` for those that are none."""
        with tempfile.TemporaryFile() as file:
            with fetching():
                await self._account.open()
                await self._account.run(self._download, address, file)
            restoration = Restoration()
            while lines := await self._account.run(_some_lines, file):
                yield await self._account.run(restoration.take, lines)
            restoration.finish()

    async def _there(self, jobs: Sequence[Mapping[str, Any]]) -> dict[Tuned, Mapping[str, Any]]:
        """Tuned models that are still in the registry, and the jobs that made them."""
        made = [(tuned, job) for job in jobs if (tuned := _left_by(job))]
        are_there = await asyncio.gather(
            *(self._account.run(self._has_model, tuned) for tuned, _ in made)
        )
        return {
            tuned: job for (tuned, job), is_there in zip(made, are_there, strict=True) if is_there
        }

    async def _files(self, jobs: Sequence[Mapping[str, Any]]) -> list[FoundFile]:
        named = {address for job in jobs for address in _addresses(job) if address}
        wanted = sorted(address for address in named if address.startswith("gs://"))
        found = await asyncio.gather(
            *(self._account.run(self._file, address) for address in wanted)
        )
        return [file for file in found if file is not None]

    def _has_model(self, tuned: Tuned) -> bool:
        from google.api_core.exceptions import NotFound

        try:
            self._account.models.get_model(name=tuned.model, timeout=TIMEOUT_SECONDS, retry=None)
        except NotFound:
            return False
        return True

    def _file(self, address: str) -> FoundFile | None:
        from google.api_core.exceptions import BadRequest, Forbidden, NotFound

        blob = self._blob(address)
        try:
            blob.reload(timeout=TIMEOUT_SECONDS, retry=None)
        except (BadRequest, Forbidden, NotFound):
            return None
        name = address.rpartition("/")[2]
        return FoundFile(id=address, name=name, created_at=_millis(blob.time_created))

    def _download(self, address: str, file: IO[bytes]) -> None:
        self._blob(address).download_to_file(
            file, checksum="crc32c", timeout=DOWNLOAD_SECONDS, retry=None
        )
        file.seek(0)

    def _blob(self, address: str) -> Any:
        bucket, _, name = address.removeprefix("gs://").partition("/")
        return self._account.storage.bucket(bucket).blob(name)


def _found(
    job: Mapping[str, Any], bases: Mapping[str, str], there: Mapping[Tuned, Any]
) -> FoundJob:
    training, validation = _addresses(job)
    tuned, ended = _left_by(job), job.get("endTime")
    return FoundJob(
        remote=remote_of(job),
        state=state_of(job),
        base_model=_base(job, bases),
        method=_method(job),
        name=job.get("tunedModelDisplayName"),
        training_file=training,
        validation_file=validation,
        key=(job.get("labels") or {}).get(LABEL),
        artifact=str(tuned) if tuned in there else None,
        created_at=_began(job),
        finished_at=_ended(job) if ended else None,
    )


def _model(job: Mapping[str, Any], tuned: Tuned, bases: Mapping[str, str]) -> FoundModel:
    return FoundModel(
        artifact=str(tuned),
        name=job.get("tunedModelDisplayName") or tuned.model.rpartition("/")[2],
        base_model=_base(job, bases),
        created_at=_ended(job),
    )


def _left_by(job: Mapping[str, Any]) -> Tuned | None:
    return tuned_of(job) if state_of(job) is RemoteState.SUCCEEDED else None


def _bases(jobs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By the names of tuned models, what they were first tuned from; `jobs` oldest first."""
    bases: dict[str, str] = {}
    for job in jobs:
        tuned = tuned_of(job)
        if tuned is not None:
            bases[tuned.bare_model] = _base(job, bases)
    return bases


def _base(job: Mapping[str, Any], bases: Mapping[str, str]) -> str:
    source: Mapping[str, Any] = job.get("preTunedModel") or {}
    named = job.get("baseModel") or source.get("baseModel")
    parent = source.get("tunedModelName") or job.get("customBaseModel") or "unknown"
    return named or bases.get(Tuned(parent).bare_model, parent)


def _method(job: Mapping[str, Any]) -> Method:
    kind, _ = _spec(job)
    return Method(_METHODS.get(kind, kind), effective(job))


def _addresses(job: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Of the training file and the one for validation."""
    _, spec = _spec(job)
    return spec.get("trainingDatasetUri"), spec.get("validationDatasetUri")


def _spec(job: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The kind of the tuning in Google's words, and what it was asked with."""
    specs = [name for name in job if name.endswith("Spec") and name != "encryptionSpec"]
    return (specs[0], job[specs[0]] or {}) if specs else ("unknown", {})


def _some_lines(file: IO[bytes]) -> list[bytes]:
    """The next lines; one that is too long for any example comes in pieces, which are no rows."""
    lines, taken = list[bytes](), 0
    while taken < BYTES_AT_A_TIME and (line := file.readline(MAX_LINE_BYTES + 1)):
        lines.append(line)
        taken += len(line)
    return lines


def _began(job: Mapping[str, Any]) -> Millis:
    return _millis(datetime.fromisoformat(job["createTime"]))


def _ended(job: Mapping[str, Any]) -> Millis:
    """When it ended, or began where it has not."""
    ended = job.get("endTime")
    return _millis(datetime.fromisoformat(ended)) if ended else _began(job)


def _millis(moment: datetime) -> Millis:
    return int(moment.timestamp() * 1000)
