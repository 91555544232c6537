"""Fine-tuning jobs over OpenAI's wire: create once, find again, look, steer."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog
from openai import AsyncOpenAI

from app.domain.jobs import Method, MetricPoint, Millis, Remote
from app.domain.provider import Observation, RemoteState, Submitted, TrainingPlan
from app.providers.openai_wire import translate
from app.providers.openai_wire.cursor import Cursor
from app.providers.openai_wire.files import Files
from app.providers.openai_wire.hyperparameters import method_body
from app.providers.openai_wire.refusals import Unanswered, creating, observing, wishing

log = structlog.get_logger()

CREATE_SECONDS = 30.0
"""An answer to a create that takes longer is lost, however it drips."""

_PAGE = 100
_LARGEST_SEED = 2**31


class Tag(Protocol):
    """How a submission key is put on a job, and how a job with it is found."""

    def fields(self, plan: TrainingPlan) -> Mapping[str, Any]:
        """The fields of a create that carry the key."""
        ...

    def queries(self, key: str) -> Sequence[Mapping[str, str]]:
        """The query parameters of the lists to look through, the quickest first."""
        ...

    def key_of(self, job: Mapping[str, Any]) -> str | None:
        """The key that a job carries."""
        ...


class MetadataTag(msgspec.Struct, frozen=True):
    """The key in the job's metadata; the name goes into the suffix of the tuned model's name.

    `has_filter` where the vendor can list by metadata. A list of all follows in any case, for
    the filter may know a new job later than the list does.
    """

    has_filter: bool = True
    longest_suffix: int = 40
    name: str = "luthier_key"

    def fields(self, plan: TrainingPlan) -> Mapping[str, Any]:
        """Metadata, and a suffix where the job has a name."""
        suffix = suffix_of(plan.name, longest=self.longest_suffix)
        return {"metadata": {self.name: plan.key}} | ({"suffix": suffix} if suffix else {})

    def queries(self, key: str) -> Sequence[Mapping[str, str]]:
        """By metadata, then everything."""
        return [{f"metadata[{self.name}]": key}, {}] if self.has_filter else [{}]

    def key_of(self, job: Mapping[str, Any]) -> str | None:
        """What the metadata says."""
        return (job.get("metadata") or {}).get(self.name)


def with_method(method: Method) -> Mapping[str, Any]:
    """The field of a create that says how to train."""
    return {"method": method_body(method)}


class News(msgspec.Struct, frozen=True):
    """What a job tells beside its state: events, checkpoints, and measures of its results file."""

    events: Sequence[Mapping[str, Any]] = ()
    saved: Sequence[Mapping[str, Any]] = ()
    measured: Sequence[MetricPoint] = ()


class Jobs:
    """The jobs of one account; its client has a timeout and repeats nothing by itself.

    `recipe` gives the fields of a create that say how to train, `extra_body` is added to every
    create, `has_checkpoints` where the vendor can list them, `page` is where a person finds a
    job, by `{id}`.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        files: Files,
        *,
        vendor: str,
        tag: Tag,
        poll_seconds: float,
        recipe: Callable[[Method], Mapping[str, Any]] = with_method,
        extra_body: Mapping[str, Any] | None = None,
        has_checkpoints: bool = True,
        page: str | None = None,
    ) -> None:
        self._client = client
        self._files = files
        self._vendor = vendor
        self._tag = tag
        self._poll_seconds = poll_seconds
        self._recipe = recipe
        self._extra_body = extra_body
        self._has_checkpoints = has_checkpoints
        self._page = page

    async def find(self, key: str) -> Remote | None:
        """The job with that key, the oldest where there are several, or None."""
        with observing(self._vendor):
            for query in self._tag.queries(key):
                jobs = await self.listed(query)
                # Compared here too, whatever the vendor's filter let through.
                found = [job for job in jobs if self._tag.key_of(job) == key]
                if found:
                    return self.remote_of(min(found, key=_created_at))
        return None

    async def submitted(self, since: Millis) -> list[Submitted]:
        """All jobs that carry a key and were created since then."""
        with observing(self._vendor):
            jobs = await self.listed({}, since=since // 1000)
        return [
            Submitted(key=key, remote=self.remote_of(job), state=translate.state_of(job["status"]))
            for job in jobs
            if (key := self._tag.key_of(job)) and _created_at(job) * 1000 >= since
        ]

    async def create(self, plan: TrainingPlan, training: str, validation: str | None) -> Remote:
        """Create the job, in one request that is never repeated here."""
        body: dict[str, Any] = {
            "model": plan.parent_artifact or plan.base_model,
            "training_file": training,
            "seed": plan.seed % _LARGEST_SEED,
            **self._recipe(plan.method),
            **self._tag.fields(plan),
        }
        if validation is not None:
            body["validation_file"] = validation
        async with asyncio.timeout(CREATE_SECONDS):
            return self.remote_of(await self._create(body))

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """One look: the job first, so that what it ended with is among its events."""
        before = Cursor.parse(cursor)
        with observing(self._vendor):
            job = _read(await self._client.fine_tuning.jobs.retrieve(remote.id))
        state = translate.state_of(job["status"])
        news = News()
        try:
            with observing(self._vendor):
                news = await self._news(job, state, before)
        except Unanswered as error:
            if state in translate.TERMINAL:
                raise
            # The state is known and counts; what else there is to tell comes with the next look.
            log.warning("news_unheard", remote=remote.id, problem=str(error))
        return self._observation(job, state, news, before)

    async def cancel(self, remote: Remote) -> None:
        """Ask for the end."""
        with wishing(self._vendor):
            await self._client.fine_tuning.jobs.cancel(remote.id)

    async def pause(self, remote: Remote) -> None:
        """Ask for a pause."""
        with wishing(self._vendor):
            await self._client.fine_tuning.jobs.pause(remote.id)

    async def resume(self, remote: Remote) -> None:
        """Ask to go on."""
        with wishing(self._vendor):
            await self._client.fine_tuning.jobs.resume(remote.id)

    async def listed(self, query: Mapping[str, str], *, since: int = 0) -> list[Mapping[str, Any]]:
        """The jobs that a list gives, page by page, at least those from a second on."""
        page = await self._client.fine_tuning.jobs.list(limit=_PAGE, extra_query=dict(query))
        rows = _rows(page)
        while page.has_next_page() and not _reaches(rows, since):
            page = await page.get_next_page()
            rows += _rows(page)
        return rows

    def is_ours(self, job: Mapping[str, Any]) -> bool:
        """Whether a job carries a submission key."""
        return self._tag.key_of(job) is not None

    def key_of(self, job: Mapping[str, Any]) -> str | None:
        """The submission key that a job carries."""
        return self._tag.key_of(job)

    def remote_of(self, job: Mapping[str, Any]) -> Remote:
        """A job as it is remembered."""
        url = self._page.format(id=job["id"]) if self._page else None
        return Remote(id=job["id"], status=job["status"], url=url)

    async def checkpoint_names(self, job_id: str) -> list[str]:
        """The names of the models that a job saved under way."""
        rows = await self._checkpoints(job_id, Cursor())
        return [row["fine_tuned_model_checkpoint"] for row in rows]

    async def _create(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        with creating(self._vendor):
            jobs = self._client.with_options(max_retries=0).fine_tuning.jobs
            return _read(await jobs.create(**body, extra_body=self._extra_body))

    async def _news(self, job: Mapping[str, Any], state: RemoteState, before: Cursor) -> News:
        events = [e for e in await self._events(job["id"], before.since) if before.is_new(e)]
        is_over = state in translate.TERMINAL
        saved = await self._checkpoints(job["id"], before) if events or is_over else []
        measured = await self._results(job) if state is RemoteState.SUCCEEDED else []
        return News(events, saved, measured)

    async def _events(self, job_id: str, since: int) -> list[Mapping[str, Any]]:
        """Events from a second on, oldest first; the vendor lists the newest first."""
        page = await self._client.fine_tuning.jobs.list_events(job_id, limit=_PAGE)
        rows = _rows(page)
        while page.has_next_page() and not _reaches(rows, since):
            page = await page.get_next_page()
            rows += _rows(page)
        rows.reverse()
        return sorted(rows, key=_created_at)

    async def _checkpoints(self, job_id: str, before: Cursor) -> list[Mapping[str, Any]]:
        """Checkpoints that were not told yet, oldest first."""
        if not self._has_checkpoints:
            return []
        page = await self._client.fine_tuning.jobs.checkpoints.list(job_id, limit=_PAGE)
        fresh = [row for row in _rows(page) if row["id"] not in before.checkpoints]
        return sorted(fresh, key=lambda row: row["step_number"])

    async def _results(self, job: Mapping[str, Any]) -> list[MetricPoint]:
        """What the results file measured at steps of which no event told."""
        points: list[MetricPoint] = []
        for file_id in job.get("result_files") or ():
            points += translate.results_of(await self._files.content(file_id))
        if not points:
            return []
        events = translate.metrics_of(await self._events(job["id"], 0))
        told = {point.step for point in events}
        return [point for point in points if point.step not in told]

    def _observation(
        self,
        job: Mapping[str, Any],
        state: RemoteState,
        news: News,
        before: Cursor,
    ) -> Observation:
        events, saved = news.events, news.saved
        return Observation(
            state=state,
            remote=self.remote_of(job),
            look_again_in=0.0 if state in translate.TERMINAL else self._poll_seconds,
            progress=translate.progress_of(events, job, time.time()),
            metrics=[*news.measured, *translate.metrics_of(events), *translate.metrics_at(saved)],
            checkpoints=[translate.checkpoint_of(row) for row in saved],
            events=translate.notices_of(events),
            cursor=str(before.after(events, saved)),
            artifact=translate.artifact_of(job) if state is RemoteState.SUCCEEDED else None,
            error=translate.error_of(job) if state is RemoteState.FAILED else None,
        )


def suffix_of(name: str | None, *, longest: int) -> str | None:
    """A job's name as a part of a model's name; None where nothing of it is left."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name or "").strip("-")[:longest].strip("-")
    return plain or None


def _created_at(row: Mapping[str, Any]) -> int:
    return row.get("created_at") or 0


def _reaches(rows: Sequence[Mapping[str, Any]], since: int) -> bool:
    """Whether a list from the newest on has come to what was told already."""
    if not rows or _created_at(rows[0]) < _created_at(rows[-1]):
        return False
    return _created_at(rows[-1]) < since


def _rows(page: Any) -> list[Mapping[str, Any]]:
    """A page as it was promised: an unreadable list is not an empty one."""
    data = getattr(page, "data", None)
    if not isinstance(data, list):
        raise Unanswered("the list cannot be read")
    return [row.to_dict() for row in data]  # pyright: ignore[reportUnknownVariableType] - the SDK's own items


def _read(answer: Any) -> Mapping[str, Any]:
    """A job as it was promised, with an id and a status."""
    job: Mapping[str, Any] = answer.to_dict() if hasattr(answer, "to_dict") else {}
    if not isinstance(job.get("id"), str) or not isinstance(job.get("status"), str):
        raise Unanswered("the job cannot be read")
    return job
