"""Migrations over HTTP: a tuned model made anew at another provider, and compared with the old."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field, JsonValue

from app.api import compilations, quotes
from app.api.compilations import CompilationOut, RemarkOut
from app.api.dependencies import Use
from app.api.evaluation_wishes import GateIn
from app.api.evaluations import GateOut
from app.api.idempotency import KeyHeader, replay_headers, with_fingerprint
from app.api.job_wishes import Hyperparameters, PromotionIn
from app.api.jobs import DatasetRefOut, JobOut, MethodOut, Promotion
from app.api.problems import responses
from app.api.quotes import QuoteOut
from app.api.shapes import In, Names, Out, Usd, answer
from app.domain.migrations import BaselineKind, HeldOutOrigin
from app.services.bundle import Services
from app.services.compilations import Compiled, Target
from app.services.migrations import MigrationPlan, WantedMigration

router = APIRouter(prefix="/models", tags=["models"])


class MigrationEvaluationIn(In):
    """On what the new model is compared with the one that it replaces."""

    dataset: str | None = Field(
        default=None,
        description="Held-out examples: id, `name` or `name@3`. Left out: those that the model's "
        "own job was evaluated or validated with.",
        examples=["support-test"],
    )
    metrics: Names | None = Field(
        default=None, description="Left out: those of the model's own job, else `exact_match`."
    )


class MigrationIn(In):
    """Where the model is to be made anew."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "provider": "local",
                    "base_model": "luthier-tiny",
                    "evaluate": {"dataset": "support-test", "metrics": ["exact_match"]},
                    "dry_run": True,
                }
            ]
        }
    )

    provider: str = Field(examples=["local"])
    base_model: str = Field(
        min_length=1,
        max_length=500,
        description="A base model of the provider, or a tuned model's id to continue from.",
        examples=["luthier-tiny"],
    )
    hyperparameters: Hyperparameters = Field(
        default_factory=dict[str, JsonValue],
        description="In the new provider's words; they come before what is translated.",
        examples=[{"epochs": 3}],
    )
    evaluate: MigrationEvaluationIn = Field(default_factory=MigrationEvaluationIn)
    gate: GateIn | None = Field(
        default=None,
        description="What the new model has to reach. Left out: the alias's gate; without one, "
        "not worse than the replaced model by more than 0.05 with 0.95 confidence.",
    )
    promote: PromotionIn | None = Field(
        default=None,
        description="The alias that is to mean the new model once it passes the gate. Left out: "
        "the alias that names the model in the path, if one does; null for none.",
    )
    budget_usd: Usd | None = Field(
        default=None, gt=0, description="Refused where the training is quoted to cost more."
    )
    dry_run: bool = Field(
        default=False, description="Only show the plan: nothing is created, sent or spent."
    )


class NoteOut(Out):
    """What became of one hyperparameter."""

    model_config = ConfigDict(serialize_by_alias=True)

    field: str
    before: Any = Field(serialization_alias="from", description="Null where it was not set.")
    after: Any = Field(
        serialization_alias="to", description="`auto`: the provider chooses; null: left out."
    )
    why: str


class HeldOutOut(Out):
    """The examples that both models answer."""

    dataset: DatasetRefOut
    origin: HeldOutOrigin
    examples: int


class BaselineOut(Out):
    """Whom the new model is compared with."""

    candidate: str
    kind: BaselineKind
    evaluation: str | None = Field(description="Where its answers are kept.")
    why: str | None = Field(description="Why it is not the replaced model that is asked.")


class MigrationPlanOut(Out):
    """What the migration does, costs and loses."""

    migrated_from: str
    provider: str
    base_model: str
    dataset: DatasetRefOut
    validation_dataset: str | None
    validation_split: float | None
    method: MethodOut
    translation: list[NoteOut]
    compilation: CompilationOut | None = Field(
        description="What the provider would say of the data, with what its form loses, by line; "
        "null where the recipe itself does not fit."
    )
    quote: QuoteOut
    held_out: HeldOutOut
    metrics: list[str]
    baseline: BaselineOut
    gate: GateOut
    promote: Promotion | None
    remarks: list[str] = Field(description="What else has to be known.")
    fits: bool
    reasons: list[RemarkOut] = Field(description="Why it would be refused.")


class MigrationOut(Out):
    """The plan, and the job that carries it out; no job for a dry run."""

    job: JobOut | None
    plan: MigrationPlanOut


@router.post(
    "/{ref:path}/migrate",
    operation_id="migrate_model",
    summary="Make a model anew at another provider",
    status_code=201,
    response_model=MigrationOut,
    responses=responses(400, 404, 409, 422)
    | {200: {"model": MigrationOut, "description": "The plan of a dry run."}},
)
async def migrate_model(use: Use, ref: str, body: MigrationIn, key: KeyHeader = None) -> Response:
    """The same data and recipe elsewhere, compared with the model that it replaces.

    Everything that can be known to be wrong is refused here; the loss report comes before
    anything is spent.
    """
    wanted = _wanted(body)
    if body.dry_run:
        plan = await use.migrations.plan(ref, wanted)
        return answer(MigrationOut.model_validate({"job": None, "plan": _shown(plan, use)}))
    content = f"{ref}\n{body.model_dump_json()}".encode()
    fingerprint = None if key is None else with_fingerprint("migrate_model", key, content)
    created = await use.migrations.create(ref, wanted, fingerprint)
    migrated = created.thing
    shown = {"job": migrated.job, "plan": _shown(migrated.plan, use)}
    headers = {"Location": f"/jobs/{migrated.job.id}"} | replay_headers(created.is_replay)
    return answer(MigrationOut.model_validate(shown), status=201, headers=headers)


def _wanted(body: MigrationIn) -> WantedMigration:
    return WantedMigration(
        provider=body.provider,
        base_model=body.base_model,
        hyperparameters=body.hyperparameters,
        dataset=body.evaluate.dataset,
        metrics=body.evaluate.metrics,
        gate=body.gate.wanted if body.gate else None,
        promote=body.promote.alias if body.promote else None,
        moves_its_alias="promote" not in body.model_fields_set,
        budget_usd=body.budget_usd,
    )


def _shown(plan: MigrationPlan, use: Services) -> dict[str, Any]:
    job, migration, quote = plan.job, plan.migration, plan.quote
    compiled = quote.compilation and Compiled(
        dataset=plan.dataset,
        target=Target(provider=job.provider, base_model=quote.base_model.name, method=job.method),
        verdict=quote.compilation,
    )
    baseline = migration.baseline
    return {
        "migrated_from": migration.replaced.name,
        "provider": job.provider,
        "base_model": job.base_model,
        "dataset": plan.dataset.ref,
        "validation_dataset": job.validation_dataset,
        "validation_split": job.validation_split,
        "method": job.method,
        "translation": migration.notes,
        "compilation": compiled and compilations.shown(compiled),
        "quote": quotes.shown(quote, use.providers[job.provider]),
        "held_out": plan.held_out,
        "metrics": job.evaluate.metrics if job.evaluate else [],
        "baseline": {
            "candidate": baseline.candidate.name,
            "kind": baseline.kind,
            "evaluation": baseline.evaluation_id,
            "why": baseline.why,
        },
        "gate": migration.gate,
        "promote": job.promote,
        "remarks": plan.remarks,
        "fits": not plan.reasons,
        "reasons": plan.reasons,
    }
