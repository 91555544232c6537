"""The table at the end of a comparison: quality, cost and latency of each, and who is beaten."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import median

import msgspec

from app.domain.comparisons import Comparison, Contender, Standing
from app.domain.evaluations import Candidate, Evaluation, Score
from app.domain.jobs import Job, JobStatus
from app.domain.metrics import is_less_better


class Spending(msgspec.Struct):
    """What one candidate's answers took: seconds of each, and US dollars as far as known."""

    seconds: list[float] = []
    usd: float | None = 0.0


def candidates_of(
    comparison: Comparison, jobs: Mapping[str, Job], models: Mapping[str, Candidate]
) -> list[Candidate]:
    """Who is evaluated: the tuned models that are there, and the bases where they are wanted."""
    tuned = [_tuned(one, jobs, models) for one in comparison.contenders]
    bases = [_base(one) for one in comparison.contenders] if comparison.include_bases else []
    return [*bases, *(one for one in tuned if one is not None)]


def standings(
    comparison: Comparison,
    jobs: Mapping[str, Job],
    models: Mapping[str, Candidate],
    evaluation: Evaluation | None,
    spending: Mapping[str, Spending],
) -> list[Standing]:
    """The table: a row for each target, and for each base that was asked too."""
    rows = [_of_target(one, jobs, models) for one in comparison.contenders]
    if comparison.include_bases:
        rows += [_of_base(one) for one in comparison.contenders]
    rows = [_measured(row, evaluation, spending) for row in rows]
    return _with_pareto(rows, less=is_less_better(comparison.metrics[0]))


def _of_target(
    one: Contender, jobs: Mapping[str, Job], models: Mapping[str, Candidate]
) -> Standing:
    tuned, job = _tuned(one, jobs, models), jobs.get(one.job_id)
    return Standing(
        provider=one.provider,
        base_model=one.base_model,
        job_id=one.job_id,
        model=tuned.name if tuned else None,
        training_usd=job.cost.actual_usd if job else None,
        reason=None if tuned else _reason(job),
    )


def _of_base(one: Contender) -> Standing:
    return Standing(
        provider=one.provider,
        base_model=one.base_model,
        job_id=None,
        model=_base(one).name,
        training_usd=Decimal(0),
    )


def _tuned(
    contender: Contender, jobs: Mapping[str, Job], models: Mapping[str, Candidate]
) -> Candidate | None:
    job = jobs.get(contender.job_id)
    return models.get(job.tuned_model_id) if job and job.tuned_model_id else None


def _base(contender: Contender) -> Candidate:
    name = f"{contender.provider}/{contender.base_model}"
    return Candidate(name, contender.provider, contender.base_model)


def _reason(job: Job | None) -> str:
    if job is None:
        return "The job is gone."
    if job.error is not None:
        return f"{job.error.code}: {job.error.message}"
    if job.status is JobStatus.SUCCEEDED:
        return "The tuned model was deleted."
    return f"The job was {job.status}."


def _measured(
    row: Standing, evaluation: Evaluation | None, spending: Mapping[str, Spending]
) -> Standing:
    if evaluation is None or row.model is None:
        return row
    spent = spending.get(row.model, Spending())
    found = {
        "evaluation_usd": None if spent.usd is None else _usd(spent.usd),
        "latency_p50": round(median(spent.seconds), 4) if spent.seconds else None,
    }
    score = _score(row.model, evaluation)
    if score is None or score.mean is None:
        return msgspec.structs.replace(row, **found, reason="Nothing could be measured of it.")
    return msgspec.structs.replace(
        row, **found, quality=score.mean, interval=score.interval, examples=score.examples
    )


def _score(model: str, evaluation: Evaluation) -> Score | None:
    """What the model scored on the metric that decides."""
    wanted = model, evaluation.metrics[0]
    return next((one for one in evaluation.scores if (one.candidate, one.metric) == wanted), None)


def _with_pareto(rows: Sequence[Standing], *, less: bool) -> list[Standing]:
    """The rows with those marked that no other row is better than.

    A figure that is known of one row only decides nothing between the two.
    """
    goods = [_goods(row, less=less) for row in rows]
    return [
        msgspec.structs.replace(
            row,
            is_pareto=mine[0] is not None and not any(_beats(other, mine) for other in goods),
        )
        for row, mine in zip(rows, goods, strict=True)
    ]


_Goods = tuple[float | None, float | None, float | None]
"""Quality, cost and latency, each so that more is better."""


def _goods(row: Standing, *, less: bool) -> _Goods:
    quality = row.quality if row.quality is None or not less else -row.quality
    cost = None if row.cost_usd is None else -float(row.cost_usd)
    return quality, cost, None if row.latency_p50 is None else -row.latency_p50


def _beats(one: _Goods, other: _Goods) -> bool:
    """Whether it is as good in everything that is known of either, and better in something."""
    is_better = False
    for mine, theirs in zip(one, other, strict=True):
        if mine is None and theirs is None:
            continue
        if mine is None or theirs is None or mine < theirs:
            return False
        is_better = is_better or mine > theirs
    return is_better


def _usd(amount: float) -> Decimal:
    return Decimal(repr(round(amount, 6)))
