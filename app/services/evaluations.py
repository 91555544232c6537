"""Evaluations: asking for one, and reading what came of it."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.errors import CandidateInvalid, DatasetKindUnfit, Fault, ModelNotFound
from app.domain.evaluations import Answer, Candidate, Evaluation
from app.domain.examples import Example, decode_example
from app.domain.idempotency import Idempotency
from app.services.created import Created
from app.services.jobs import check_metrics
from app.services.models import Models
from app.storage import datasets, evaluations, idempotency
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.idempotency import KeyTaken
from app.storage.ids import new_id
from app.storage.signals import WORK_DUE, Signals
from app.storage.sources import read_lines


class WantedEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for."""

    dataset: str
    candidates: list[str]
    metrics: list[str]
    limit: int | None


class Judged(msgspec.Struct, frozen=True):
    """One example with every candidate's answer to it."""

    example: Example
    answers: list[Answer]


class Evaluations:
    """What a user does with evaluations."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        models: Models,
        signals: Signals,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._models = models
        self._signals = signals
        self._clock = clock

    async def create(
        self, wanted: WantedEvaluation, key: Idempotency | None = None
    ) -> Created[Evaluation]:
        """Queue an evaluation of candidates that exist on a dataset that fits."""
        first = await self._first_answer(key)
        if first is not None:
            return Created(first, is_replay=True)
        check_metrics(wanted.metrics, pointer="/metrics")
        candidates = [
            await self._candidate(name, number) for number, name in enumerate(wanted.candidates)
        ]
        try:
            async with self._database.write() as connection:
                dataset = await datasets.get(connection, wanted.dataset)
                if dataset.kind is not DatasetKind.CHAT:
                    raise DatasetKindUnfit("An evaluation needs chat examples to ask and compare.")
                await datasets.hold(connection, dataset.id)
                evaluation = Evaluation(
                    id=new_id("eval"),
                    dataset=dataset.ref,
                    candidates=candidates,
                    metrics=wanted.metrics,
                    limit=wanted.limit,
                    examples=min(wanted.limit or dataset.examples, dataset.examples),
                    created_at=self._clock(),
                )
                await idempotency.keep(connection, key, evaluation)
                await evaluations.add(connection, evaluation)
        except KeyTaken:
            return await self.create(wanted, key)
        self._signals.send(WORK_DUE)
        return Created(evaluation)

    async def get(self, evaluation_id: str) -> Evaluation:
        """The evaluation of that id; raises `EvaluationNotFound`."""
        async with self._database.read() as connection:
            return await evaluations.get(connection, evaluation_id)

    async def list_page(
        self, *, job_id: str | None, before: str | None, limit: int
    ) -> list[Evaluation]:
        """Evaluations, newest first."""
        async with self._database.read() as connection:
            return await evaluations.list_page(
                connection, job_id=job_id, before=before, limit=limit
            )

    async def examples(
        self, evaluation_id: str, *, sort: Literal["row", "worst"], after: int, limit: int
    ) -> Sequence[Judged]:
        """Examples with every candidate's answer, from the `after`-th on."""
        async with self._database.read() as connection:
            evaluation = await evaluations.get(connection, evaluation_id)
            dataset = await datasets.get(connection, evaluation.dataset.id)
            answers = await evaluations.list_answers(
                connection, evaluation, sort=sort, after=after, limit=limit
            )
        wanted = {group[0].row for group in answers}
        found: dict[int, Example] = {}
        number = 0
        async for line in read_lines(self._blobs.chunks(dataset.sha256)):
            number += 1
            if number in wanted:
                found[number] = decode_example(line, dataset.kind)
            if len(found) == len(wanted):
                break
        return [Judged(found[group[0].row], group) for group in answers]

    async def _first_answer(self, key: Idempotency | None) -> Evaluation | None:
        if key is None:
            return None
        async with self._database.read() as connection:
            return await idempotency.find(connection, key, Evaluation)

    async def _candidate(self, name: str, number: int) -> Candidate:
        try:
            return await self._models.resolve(name)
        except ModelNotFound as error:
            fault = Fault("model_not_found", error.detail, f"/candidates/{number}")
            raise CandidateInvalid(error.detail, faults=[fault]) from error
