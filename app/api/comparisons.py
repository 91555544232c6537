"""Comparisons over HTTP: one recipe on several targets, and a table of what came of each."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Response
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from app.api.dependencies import Use
from app.api.evaluations import EvaluationErrorOut, IntervalOut
from app.api.idempotency import KeyHeader, key_for, replay_headers
from app.api.job_wishes import JobEvaluationIn, MethodIn, Tag, TagValue
from app.api.jobs import DatasetRefOut, MethodOut
from app.api.migrations import NoteOut
from app.api.problems import responses
from app.api.quotes import QuoteTargetIn
from app.api.shapes import Cursor, In, Limit, Moment, Out, Page, Usd, answer, answer_page, before
from app.domain.comparisons import ComparisonStatus
from app.domain.jobs import JobStatus, Method
from app.services.comparisons import WantedComparison, Watched
from app.services.preparing import MAX_SEED
from app.services.quotes import QuoteTarget

router = APIRouter(prefix="/comparisons", tags=["comparisons"])


def _distinct(targets: list[QuoteTargetIn]) -> list[QuoteTargetIn]:
    if len({(one.provider, one.base_model) for one in targets}) < len(targets):
        raise ValueError("a target is named twice")
    return targets


class ComparisonIn(In):
    """What to train, where, and how to tell which is best."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": "support-train",
                    "method": {"type": "sft", "hyperparameters": {"epochs": 3}},
                    "targets": [
                        {"provider": "local", "base_model": "luthier-tiny"},
                        {"provider": "openai", "base_model": "gpt-4.1-mini-2025-04-14"},
                    ],
                    "evaluate": {"dataset": "support-test", "metrics": ["exact_match"]},
                    "budget_usd": "50.00",
                }
            ]
        }
    )

    dataset: str = Field(description="Id, `name` or `name@3`.", examples=["support-train"])
    validation_dataset: str | None = None
    validation_split: float | None = Field(
        default=None, gt=0, lt=0.9, description="This share of the dataset is set aside."
    )
    method: MethodIn = Field(
        default_factory=MethodIn,
        description="Hyperparameters are translated for each target; `translation` tells how.",
    )
    targets: Annotated[list[QuoteTargetIn], AfterValidator(_distinct)] = Field(
        min_length=1, max_length=10
    )
    evaluate: JobEvaluationIn = Field(description="The first metric is the table's quality.")
    include_bases: bool = Field(
        default=False, description="Whether the base models as they are answer too."
    )
    budget_usd: Usd | None = Field(
        default=None,
        gt=0,
        description="For all trainings together: refused where they are quoted to cost more, and "
        "each is cancelled where it reaches its share.",
    )
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    name: str | None = Field(default=None, min_length=1, max_length=100)
    tags: dict[Tag, TagValue] = Field(default_factory=dict[str, str], max_length=32)

    @model_validator(mode="after")
    def _validates_one_way(self) -> Self:
        if self.validation_dataset is not None and self.validation_split is not None:
            raise ValueError("give validation_dataset or validation_split, not both")
        return self


class ContenderOut(Out):
    """One target and its job."""

    provider: str
    base_model: str
    job: str
    status: JobStatus | None = Field(description="The job's; null where it is gone.")
    translation: list[NoteOut]


class StandingOut(Out):
    """One row of the table."""

    provider: str
    base_model: str
    job: str | None = Field(
        validation_alias="job_id", description="Null for a base model as it is."
    )
    model: str | None
    quality: float | None = Field(description="The mean of the first metric.")
    interval: IntervalOut | None
    examples: int
    training_usd: Usd | None
    evaluation_usd: Usd | None = Field(description="Of its answers; null where no price is known.")
    cost_usd: Usd | None = Field(description="Both together.")
    latency_p50: float | None = Field(description="Seconds of half of the answers at the most.")
    pareto: bool = Field(
        validation_alias="is_pareto",
        description="No other row is as good in quality, cost and latency, and better in one.",
    )
    reason: str | None = Field(description="Why there is no model, or no figure.")


class ComparisonOut(Out):
    """A comparison."""

    id: str = Field(examples=["cmp_01m83e5h8gwajxdy5wzxkfa82z"])
    name: str | None
    tags: dict[str, str]
    dataset: DatasetRefOut
    held_out: DatasetRefOut
    metrics: list[str]
    method: MethodOut
    include_bases: bool
    budget_usd: Usd | None
    status: ComparisonStatus
    jobs: list[ContenderOut]
    evaluation: str | None = Field(validation_alias="evaluation_id")
    standings: list[StandingOut] = Field(description="Once it has ended.")
    error: EvaluationErrorOut | None
    created_at: Moment
    finished_at: Moment | None


@router.post(
    "",
    operation_id="create_comparison",
    summary="Train one recipe on several targets",
    status_code=201,
    response_model=ComparisonOut,
    responses=responses(400, 404, 409, 422),
)
async def create_comparison(use: Use, body: ComparisonIn, key: KeyHeader = None) -> Response:
    """Queue a job for each target; once all have ended their models are evaluated together.

    Either all jobs begin or, where one target would be refused, none.
    """
    created = await use.comparisons.create(_wanted(body), key_for("create_comparison", key, body))
    watched = created.thing
    headers = {"Location": f"/comparisons/{watched.comparison.id}"}
    return answer(_shown(watched), status=201, headers=headers | replay_headers(created.is_replay))


@router.get(
    "",
    operation_id="list_comparisons",
    summary="List comparisons",
    response_model=Page[ComparisonOut],
    responses=responses(422),
)
async def list_comparisons(use: Use, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Comparisons, newest first."""
    found = await use.comparisons.list_page(before=before(cursor), limit=limit + 1)
    shown = [_shown(watched) for watched in found]
    return answer_page(Page[ComparisonOut], shown, limit, lambda one: one.id)


@router.get(
    "/{comparison_id}",
    operation_id="get_comparison",
    summary="Get a comparison",
    response_model=ComparisonOut,
    responses=responses(404),
)
async def get_comparison(use: Use, comparison_id: str) -> Response:
    """How far it is, and its table once it has ended."""
    return answer(_shown(await use.comparisons.get(comparison_id)))


@router.post(
    "/{comparison_id}/cancel",
    operation_id="cancel_comparison",
    summary="Cancel a comparison",
    status_code=202,
    response_model=ComparisonOut,
    responses=responses(404, 409),
)
async def cancel_comparison(use: Use, comparison_id: str) -> Response:
    """End it, and ask for the end of its jobs; models that are there already stay."""
    return answer(_shown(await use.comparisons.cancel(comparison_id)), status=202)


def _wanted(body: ComparisonIn) -> WantedComparison:
    return WantedComparison(
        dataset=body.dataset,
        validation_dataset=body.validation_dataset,
        validation_split=body.validation_split,
        held_out=body.evaluate.dataset,
        metrics=body.evaluate.metrics,
        method=Method(body.method.type, body.method.hyperparameters),
        seed=body.seed,
        targets=[QuoteTarget(one.provider, one.base_model) for one in body.targets],
        include_bases=body.include_bases,
        budget_usd=body.budget_usd,
        name=body.name,
        tags=body.tags,
    )


def _shown(watched: Watched) -> ComparisonOut:
    comparison = watched.comparison
    contenders: list[dict[str, Any]] = []
    for one in comparison.contenders:
        job = watched.jobs.get(one.job_id)
        contenders.append(
            {
                "provider": one.provider,
                "base_model": one.base_model,
                "job": one.job_id,
                "status": job.status if job else None,
                "translation": one.notes,
            }
        )
    fields = {name: getattr(comparison, name) for name in comparison.__struct_fields__}
    return ComparisonOut.model_validate(fields | {"jobs": contenders})
