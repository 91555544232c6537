"""The examples of an evaluation: looked at in the order that helps, and taken to be corrected."""

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from app.domain.datasets import Dataset, DiffCounts, Lineage, MadeBy
from app.domain.errors import DatasetNotFound, Fault, Invalid, NoWeakExamples
from app.domain.evaluations import Answer, Evaluation, Judgement
from app.domain.examples import Example, decode_example
from app.domain.idempotency import Idempotency
from app.domain.ranking import Order, Scores, is_weak, ranked, spread_of
from app.domain.slicing import slices
from app.services.created import Created
from app.services.datasets import Datasets
from app.services.once import once_after
from app.storage import answers, datasets, evaluations
from app.storage.blobs import Blobs
from app.storage.database import Database
from app.storage.questions import read_questions
from app.storage.sources import read_lines


class Sorting(msgspec.Struct, frozen=True, kw_only=True):
    """Which examples, and in which order.

    By default the candidate is the last one, the metric the first one, and the slice all.
    """

    order: Order = Order.ROW
    candidate: str | None = None
    metric: str | None = None
    slice: str | None = None


class WantedWeakExamples(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the weak examples are to be stored, and under which name."""

    sorting: Sorting
    limit: int
    name: str | None


class Judged(msgspec.Struct, frozen=True):
    """One example with every candidate's answer to it, and what the judge said of them."""

    row: int
    example: Example
    answers: list[Answer]
    judgements: list[Judgement]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why an example is weak: `line` in the new version, `source_line` in the one evaluated."""

    line: int
    source_line: int
    reason: str
    scores: dict[str, float | None]
    """By candidate, on the metric that was looked at."""


class WeakVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The dataset version that holds the weak examples, and why each is in it."""

    dataset: Dataset
    reasons: list[Reason]


class EvaluationExamples:
    """What a user does with the examples of an evaluation."""

    def __init__(self, database: Database, blobs: Blobs, stored: Datasets) -> None:
        self._database = database
        self._blobs = blobs
        self._stored = stored

    async def list_page(
        self, evaluation_id: str, sorting: Sorting, *, after: int, limit: int
    ) -> Sequence[Judged]:
        """Examples with every candidate's answer, from the `after`-th on."""
        evaluation, dataset = await self._evaluated(evaluation_id)
        rows = (await self._ranked(evaluation, dataset, sorting))[after : after + limit]
        async with self._database.read() as connection:
            given = await answers.of_rows(connection, evaluation.id, rows)
            judgements = (
                await answers.judgements_of_rows(
                    connection, evaluation.id, evaluation.judge.key, rows
                )
                if evaluation.judge is not None
                else []
            )
        lines = await self._lines(dataset, rows)
        return [
            Judged(
                row,
                decode_example(lines[row], dataset.kind),
                _in_order(given[row], evaluation.candidate_names),
                [judgement for judgement in judgements if judgement.row == row],
            )
            for row in rows
        ]

    async def take_weak(
        self, evaluation_id: str, wanted: WantedWeakExamples, key: Idempotency | None = None
    ) -> Created[WeakVersion]:
        """Store the weakest examples as a version of their own, ready to be corrected.

        The examples are as they stand in the evaluated version; `existed` says that a version of
        that name held exactly these. Raises `NoWeakExamples` where nothing is weak.
        """
        return await once_after(
            self._database, key, WeakVersion, lambda: self._take_weak(evaluation_id, wanted)
        )

    async def _take_weak(
        self, evaluation_id: str, wanted: WantedWeakExamples
    ) -> Created[WeakVersion]:
        evaluation, dataset = await self._evaluated(evaluation_id)
        sorting = _settled(evaluation, wanted.sorting)
        scores = await self._scores(evaluation)
        rows = [
            row
            for row in await self._ranked(evaluation, dataset, sorting)
            if is_weak(
                scores,
                row,
                sorting.order,
                metric=sorting.metric or "",
                candidate=sorting.candidate or "",
                candidates=evaluation.candidate_names,
            )
        ][: wanted.limit]
        if not rows:
            raise NoWeakExamples("No example is weak by that measure.")
        lines = await self._lines(dataset, rows)
        async with self._stored.take_in(_pieces(lines, rows)) as draft:
            name = wanted.name or f"{dataset.name}-weak"
            lineage = _lineage(evaluation, dataset, sorting, rows)
            stored = await self._stored.keep(draft, name, lineage=lineage)
        reasons = [
            _reason(evaluation, scores, sorting, row, line=number)
            for number, row in enumerate(rows, start=1)
        ]
        return Created(WeakVersion(dataset=stored.thing, reasons=reasons), existed=stored.existed)

    async def _evaluated(self, evaluation_id: str) -> tuple[Evaluation, Dataset]:
        async with self._database.read() as connection:
            evaluation = await evaluations.get(connection, evaluation_id)
            return evaluation, await datasets.get(connection, evaluation.dataset.id)

    async def _ranked(
        self, evaluation: Evaluation, dataset: Dataset, sorting: Sorting
    ) -> list[int]:
        settled = _settled(evaluation, sorting)
        rows = ranked(
            await self._scores(evaluation),
            settled.order,
            metric=settled.metric or "",
            candidate=settled.candidate or "",
            candidates=evaluation.candidate_names,
        )
        if sorting.slice is None:
            return rows
        members = await self._members(evaluation, dataset, sorting.slice)
        return [row for row in rows if row in members]

    async def _members(self, evaluation: Evaluation, dataset: Dataset, name: str) -> set[int]:
        try:
            questions = await read_questions(self._blobs, dataset, limit=evaluation.limit)
        except FileNotFoundError as error:
            raise DatasetNotFound(f"Dataset {dataset.id!r} was just removed.") from error
        found = slices(questions, evaluation.tags)
        if name not in found:
            raise _unknown("slice", name, list(found))
        return found[name]

    async def _scores(self, evaluation: Evaluation) -> Scores:
        async with self._database.read() as connection:
            return await answers.scores(connection, evaluation.id)

    async def _lines(self, dataset: Dataset, rows: Sequence[int]) -> Mapping[int, bytes]:
        wanted = set(rows)
        found: dict[int, bytes] = {}
        number = 0
        async for line in read_lines(self._blobs.chunks(dataset.sha256)):
            number += 1
            if number in wanted:
                found[number] = line
            if len(found) == len(wanted):
                break
        return found


def _settled(evaluation: Evaluation, sorting: Sorting) -> Sorting:
    """The sorting with its defaults filled in; raises `Invalid` for names that are not there."""
    candidate = sorting.candidate or evaluation.candidate_names[-1]
    metric = sorting.metric or evaluation.metrics[0]
    if candidate not in evaluation.candidate_names:
        raise _unknown("candidate", candidate, evaluation.candidate_names)
    if metric not in evaluation.metrics:
        raise _unknown("metric", metric, evaluation.metrics)
    return msgspec.structs.replace(sorting, candidate=candidate, metric=metric)


def _unknown(what: str, name: str, there: Sequence[str]) -> Invalid:
    detail = f"The evaluation has no {what} {name!r}; it has {', '.join(there)}."
    return Invalid(detail, faults=[Fault(f"{what}_unknown", detail, f"/{what}")])


def _in_order(given: Sequence[Answer], names: Sequence[str]) -> list[Answer]:
    return sorted(given, key=lambda answer: names.index(answer.candidate))


async def _pieces(lines: Mapping[int, bytes], rows: Sequence[int]) -> AsyncIterator[bytes]:
    for row in rows:
        yield lines[row] + b"\n"


def _lineage(
    evaluation: Evaluation, dataset: Dataset, sorting: Sorting, rows: Sequence[int]
) -> Lineage:
    parameters = {
        "evaluation": evaluation.id,
        "from": sorting.order,
        "slice": sorting.slice,
        "candidate": sorting.candidate,
        "metric": sorting.metric,
        "source_lines": list(rows),
    }
    diff = DiffCounts(removed=dataset.examples - len(rows))
    return Lineage(dataset.id, MadeBy(operation="weak_examples", parameters=parameters, diff=diff))


def _reason(
    evaluation: Evaluation, given: Scores, sorting: Sorting, row: int, *, line: int
) -> Reason:
    metric, candidate = sorting.metric or "", sorting.candidate or ""
    found = {name: given.get((name, row), {}).get(metric) for name in evaluation.candidate_names}
    if sorting.order is Order.DISAGREEMENT:
        distance = spread_of(list(found.values()))
        reason = f"The candidates are {distance or 0:.4g} apart on {metric}."
    else:
        reason = f"{candidate} scores {found[candidate]:.4g} on {metric}."
    if sorting.slice is not None:
        reason += f" It belongs to the slice {sorting.slice}."
    return Reason(line=line, source_line=row, reason=reason, scores=found)
