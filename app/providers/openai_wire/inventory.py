"""What lies in an account that speaks OpenAI's wire, whoever put it there."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import openai
from openai import AsyncOpenAI
from openai.types import FileObject, Model

from app.domain.errors import Later
from app.domain.jobs import Method, Millis
from app.domain.provider import (
    FoundFile,
    FoundJob,
    FoundModel,
    Inventory,
    ListedModel,
    RemoteState,
)
from app.providers.openai_wire import translate
from app.providers.openai_wire.hyperparameters import METHOD_NAMES, effective
from app.providers.openai_wire.jobs import Jobs
from app.providers.openai_wire.naming import base_of, base_of_tuned
from app.providers.openai_wire.refusals import RETRY_SECONDS, asking, observing, preparing

PIECE_BYTES = 256 * 1024

DOWNLOAD_SECONDS = 300.0
"""How long the vendor may be silent within a file."""

_METHODS = {theirs: ours for ours, theirs in METHOD_NAMES.items()}


class Stock:
    """Jobs, files and models; `base_of` tells the base of a tuned model, None for other models."""

    def __init__(
        self,
        client: AsyncOpenAI,
        jobs: Jobs,
        *,
        vendor: str,
        base_of: Callable[[str], str | None] = base_of_tuned,
    ) -> None:
        self._client = client
        self._jobs = jobs
        self._vendor = vendor
        self._base_of = base_of

    async def inventory(self, since: Millis) -> Inventory:
        """All that was created since then, each list oldest first."""
        with observing(self._vendor):
            models = {model.id: model for model in (await self._client.models.list()).data}
            jobs = await self._jobs.listed({}, since=since // 1000)
            found = [await self._found(job, models) for job in jobs if _second(job) * 1000 >= since]
            files = await self._files(since)
        return Inventory(
            jobs=sorted(found, key=lambda job: job.created_at),
            files=sorted(files, key=lambda file: file.created_at or 0),
            models=self._tuned(models, since),
        )

    async def base_models(self) -> list[ListedModel]:
        """What the vendor lists and nobody tuned; an empty list is not believed (`Later`)."""
        with preparing(self._vendor):
            models = (await self._client.models.list()).data
        found = [model.to_dict() for model in models]
        bases = [_listed(model) for model in found if not self._is_tuned(model)]
        if not bases:
            raise Later(f"{self._vendor} lists no models at all.", retry_after=RETRY_SECONDS)
        return bases

    async def content(self, file_id: str) -> AsyncIterator[bytes]:
        """The bytes of a file as they come."""
        with asking(self._vendor):
            download = self._client.files.with_streaming_response.content(
                file_id, timeout=DOWNLOAD_SECONDS
            )
            async with download as answer:
                async for piece in answer.iter_bytes(PIECE_BYTES):
                    yield piece

    def _is_tuned(self, model: Mapping[str, Any]) -> bool:
        """By its name, or by what Azure's dated API says; checkpoints are tuned too."""
        name = model["id"]
        named = self._base_of(name) or base_of(name)
        return bool(named or model.get("fine_tune") or model.get("model"))

    async def _files(self, since: Millis) -> list[FoundFile]:
        rows: list[FileObject] = []
        page = await self._client.files.list(purpose="fine-tune", limit=100)
        rows += page.data
        while page.has_next_page():
            page = await page.get_next_page()
            rows += page.data
        return [
            FoundFile(id=row.id, name=row.filename, created_at=row.created_at * 1000)
            for row in rows
            if row.created_at * 1000 >= since
        ]

    def _tuned(self, models: Mapping[str, Model], since: Millis) -> list[FoundModel]:
        found = [
            FoundModel(artifact=name, name=name, base_model=base, created_at=model.created * 1000)
            for name, model in models.items()
            if (base := self._base_of(name)) and model.created * 1000 >= since
        ]
        return sorted(found, key=lambda model: model.created_at or 0)

    async def _found(self, job: Mapping[str, Any], models: Mapping[str, Model]) -> FoundJob:
        name = job.get("fine_tuned_model")
        finished = job.get("finished_at")
        return FoundJob(
            remote=self._jobs.remote_of(job),
            state=translate.state_of(job["status"]),
            base_model=job["model"],
            method=_method(job),
            name=job.get("user_provided_suffix"),
            seed=job.get("seed") or 0,
            training_file=job.get("training_file"),
            validation_file=job.get("validation_file"),
            key=self._jobs.key_of(job),
            artifact=name if name and await self._is_there(job, name, models) else None,
            created_at=_second(job) * 1000,
            finished_at=finished * 1000 if finished else None,
        )

    async def _is_there(
        self, job: Mapping[str, Any], name: str, models: Mapping[str, Model]
    ) -> bool:
        """Asked for where the list does not have it: not every host lists what was tuned."""
        if name in models or translate.state_of(job["status"]) is not RemoteState.SUCCEEDED:
            return True
        try:
            await self._client.models.retrieve(name)
        except openai.NotFoundError:
            return False
        return True


def _listed(model: Mapping[str, Any]) -> ListedModel:
    """A model as OpenAI lists it, or with what Azure adds to that."""
    said = msgspec.convert(model, _Listed)
    ends = said.deprecation
    return ListedModel(
        name=said.id,
        is_tunable=said.capabilities.fine_tune if said.capabilities else None,
        training_ends_at=_day(ends.fine_tune) if ends else None,
        serving_ends_at=(_day(ends.inference) if ends else None) or said.shutdown_date,
    )


class _Capabilities(msgspec.Struct):
    fine_tune: bool | None = None


class _Deprecation(msgspec.Struct):
    """Seconds since 1970."""

    fine_tune: float | None = None
    inference: float | None = None


class _Listed(msgspec.Struct):
    id: str
    shutdown_date: date | None = None
    capabilities: _Capabilities | None = None
    deprecation: _Deprecation | None = None


def _day(seconds: float | None) -> date | None:
    return datetime.fromtimestamp(seconds, UTC).date() if seconds else None


def _method(job: Mapping[str, Any]) -> Method:
    """A job of before there were methods was supervised."""
    kind = (job.get("method") or {}).get("type") or "supervised"
    return Method(_METHODS.get(kind, kind), effective(job))


def _second(job: Mapping[str, Any]) -> int:
    return job.get("created_at") or 0
