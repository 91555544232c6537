"""Evaluations: asking for one, scoring its answers anew, and reading what came of it."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.datasets import Dataset, DatasetKind
from app.domain.errors import (
    CandidateInvalid,
    DatasetKindUnfit,
    EvaluationIncomplete,
    Fault,
    ModelNotFound,
    OverBudget,
)
from app.domain.evaluations import (
    JUDGE,
    Candidate,
    Evaluation,
    EvaluationStatus,
    Gate,
    Guard,
    Judge,
    JudgeMode,
    Rating,
)
from app.domain.idempotency import Idempotency
from app.domain.metrics import check_metrics
from app.services.created import Created
from app.services.models import Models
from app.services.once import once
from app.services.spending import hold_to_limits
from app.storage import datasets, evaluations, idempotency
from app.storage.database import Database
from app.storage.ids import new_id
from app.storage.signals import WORK_DUE, Signals


class WantedJudge(msgspec.Struct, frozen=True, kw_only=True):
    """The model that is to judge, named as a candidate is."""

    model: str
    rubric: str
    mode: JudgeMode


class WantedGuard(msgspec.Struct, frozen=True, kw_only=True):
    """What may not become worse by more than `max_drop`: a metric, here or on another dataset."""

    metric: str
    dataset: str | None
    max_drop: float


class WantedGate(msgspec.Struct, frozen=True, kw_only=True):
    """How much better the candidates have to be."""

    metric: str
    min_delta: float | None
    non_inferiority_margin: float | None
    confidence: float
    guards: Sequence[WantedGuard]


class WantedEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asks for."""

    dataset: str
    candidates: list[str]
    metrics: list[str]
    limit: int | None
    judge: WantedJudge | None = None
    gate: WantedGate | None = None
    max_cost_usd: Decimal | None = None
    ratings: list[Rating] = []
    tags: dict[str, list[int]] = {}


class Asked(msgspec.Struct, frozen=True):
    """Who is asked, by whom it is judged, and when that was wanted."""

    candidates: list[Candidate]
    judge: Judge | None
    at: int


class Evaluations:
    """What a user does with evaluations."""

    def __init__(
        self,
        database: Database,
        models: Models,
        signals: Signals,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._models = models
        self._signals = signals
        self._clock = clock

    async def create(
        self, wanted: WantedEvaluation, key: Idempotency | None = None
    ) -> Created[Evaluation]:
        """Queue an evaluation of candidates that exist on a dataset that fits.

        Each guard of the gate on another dataset queues an evaluation of its own with it.
        """

        async def make() -> Created[Evaluation]:
            evaluation = await self._store(wanted, await self._asked(wanted), key)
            self._signals.send(WORK_DUE)
            return Created(evaluation)

        return await once(self._database, key, Evaluation, make)

    async def add_metrics(
        self, evaluation_id: str, metrics: Sequence[str], judge: WantedJudge | None
    ) -> Evaluation:
        """Let the answers that are kept be scored by more metrics, or by another judge.

        Raises `EvaluationIncomplete` where answers are missing.
        """
        before = await self.get(evaluation_id)
        by = before.judge if judge is None else await self._judge(judge)
        together = list(dict.fromkeys([*before.metrics, *metrics]))
        _check_metrics(together, by, before.candidates)
        if before.max_cost_usd is not None and by is not None:
            await self._check_price(by.model, "/judge/model")
        async with self._database.write() as connection:
            evaluation = await evaluations.get(connection, evaluation_id)
            if evaluation.status is not EvaluationStatus.SUCCEEDED:
                raise EvaluationIncomplete(
                    f"The evaluation is {evaluation.status}; only one that has succeeded has all "
                    "answers to score."
                )
            await datasets.hold(connection, evaluation.dataset.id)
            await evaluations.reopen(connection, evaluation, metrics=together, judge=by)
            reopened = await evaluations.get(connection, evaluation_id)
        self._signals.send(WORK_DUE)
        return reopened

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

    async def _asked(self, wanted: WantedEvaluation) -> Asked:
        candidates = [
            await self._candidate(name, f"/candidates/{number}")
            for number, name in enumerate(wanted.candidates)
        ]
        judge = None if wanted.judge is None else await self._judge(wanted.judge)
        _check_metrics(_metrics(wanted), judge, candidates)
        _check_ratings(wanted)
        if wanted.gate is not None and len(candidates) < 2:
            raise _wrong("gate_alone", "A gate needs a baseline and a candidate.", "/candidates")
        if wanted.max_cost_usd is not None:
            for number, candidate in enumerate(candidates):
                await self._check_price(candidate, f"/candidates/{number}")
            if judge is not None:
                await self._check_price(judge.model, "/judge/model")
        return Asked(candidates, judge, self._clock())

    async def _store(
        self, wanted: WantedEvaluation, asked: Asked, key: Idempotency | None
    ) -> Evaluation:
        async with self._database.write() as connection:
            await hold_to_limits(connection, wanted.max_cost_usd)
            dataset = await _held(connection, wanted.dataset)
            gate = None
            if wanted.gate is not None:
                guards = [
                    await self._guard(connection, guard, wanted, asked)
                    for guard in wanted.gate.guards
                ]
                gate = _gate(wanted.gate, guards)
            evaluation = msgspec.structs.replace(
                _evaluation(wanted, asked, dataset, metrics=_metrics(wanted)),
                gate=gate,
                ratings=wanted.ratings,
                tags=wanted.tags,
            )
            await idempotency.keep(connection, key, evaluation)
            await evaluations.add(connection, evaluation)
        return evaluation

    async def _guard(
        self,
        connection: AsyncConnection,
        guard: WantedGuard,
        wanted: WantedEvaluation,
        asked: Asked,
    ) -> Guard:
        """The guard, its evaluation queued where it looks at another dataset."""
        if guard.dataset is None:
            return Guard(metric=guard.metric, max_drop=guard.max_drop)
        dataset = await _held(connection, guard.dataset)
        beside = _evaluation(wanted, asked, dataset, metrics=[guard.metric])
        await evaluations.add(connection, beside)
        return Guard(
            metric=guard.metric,
            max_drop=guard.max_drop,
            dataset=dataset.ref,
            evaluation_id=beside.id,
        )

    async def _judge(self, wanted: WantedJudge) -> Judge:
        model = await self._candidate(wanted.model, "/judge/model")
        return Judge(model, wanted.rubric, wanted.mode)

    async def _candidate(self, name: str, pointer: str) -> Candidate:
        try:
            return await self._models.resolve(name)
        except ModelNotFound as error:
            raise _wrong("model_not_found", error.detail, pointer) from error

    async def _check_price(self, candidate: Candidate, pointer: str) -> None:
        if await self._models.rates(candidate) is None:
            detail = (
                f"No price is known for the tokens of {candidate.name}, so that max_cost_usd "
                "cannot be kept; set one in the operator's catalogue."
            )
            raise OverBudget(detail, faults=[Fault("price_unknown", detail, pointer)])


def _metrics(wanted: WantedEvaluation) -> list[str]:
    """All that is to be scored: what was asked for, and what the gate looks at here."""
    gate = wanted.gate
    guards = [guard.metric for guard in gate.guards if guard.dataset is None] if gate else []
    return list(dict.fromkeys([*wanted.metrics, *([gate.metric] if gate else []), *guards]))


def _check_metrics(
    metrics: Sequence[str], judge: Judge | None, candidates: Sequence[Candidate]
) -> None:
    """Raise `CandidateInvalid` where a metric does not exist, or misses whom it needs."""
    computed = [name for name in metrics if name != JUDGE]
    if computed:
        check_metrics(computed, pointer="/metrics")
    if JUDGE in metrics and judge is None:
        raise _wrong("judge_missing", "The metric `judge` needs a `judge`.", "/judge")
    if judge is not None and judge.mode is JudgeMode.PAIRWISE and len(candidates) < 2:
        raise _wrong("judge_alone", "A pairwise judge needs two candidates.", "/candidates")


def _check_ratings(wanted: WantedEvaluation) -> None:
    for number, rating in enumerate(wanted.ratings):
        if rating.candidate not in wanted.candidates:
            detail = f"{rating.candidate} is rated, and is no candidate."
            raise _wrong("candidate_unknown", detail, f"/ratings/{number}/candidate")


def _wrong(code: str, detail: str, pointer: str) -> CandidateInvalid:
    return CandidateInvalid(detail, faults=[Fault(code, detail, pointer)])


async def _held(connection: AsyncConnection, reference: str) -> Dataset:
    dataset = await datasets.get(connection, reference)
    if dataset.kind is not DatasetKind.CHAT:
        raise DatasetKindUnfit("An evaluation needs chat examples to ask and compare.")
    await datasets.hold(connection, dataset.id)
    return dataset


def _evaluation(
    wanted: WantedEvaluation, asked: Asked, dataset: Dataset, *, metrics: list[str]
) -> Evaluation:
    return Evaluation(
        id=new_id("eval"),
        dataset=dataset.ref,
        candidates=asked.candidates,
        metrics=metrics,
        limit=wanted.limit,
        judge=asked.judge,
        max_cost_usd=wanted.max_cost_usd,
        examples=min(wanted.limit or dataset.examples, dataset.examples),
        created_at=asked.at,
    )


def _gate(wanted: WantedGate, guards: list[Guard]) -> Gate:
    return Gate(
        metric=wanted.metric,
        min_delta=wanted.min_delta,
        non_inferiority_margin=wanted.non_inferiority_margin,
        confidence=wanted.confidence,
        guards=guards,
    )
