"""Replacing a model: what is known of how it came about, and whom a new one is compared with."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import offers
from app.domain.aliases import Alias, is_as_strict, is_same, promotion_gate
from app.domain.datasets import Dataset, DatasetKind
from app.domain.errors import (
    BaseModelUnknown,
    CandidateInvalid,
    DatasetTooSmall,
    Fault,
    HeldOutMissing,
    RecipeUnknown,
)
from app.domain.evaluations import Candidate, Gate
from app.domain.gating import MINIMUM_EXAMPLES, usual_gate
from app.domain.hosting import HostingState
from app.domain.jobs import Job, Method, day_of
from app.domain.migrations import Baseline, BaselineKind, HeldOut, HeldOutOrigin
from app.domain.models import TunedModel
from app.domain.provider import Provider
from app.services.hosting import deploys
from app.storage import aliases, datasets, evaluations, hosting, jobs, vendor_lists


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """A tuned model with all that is needed to make it anew."""

    model: TunedModel
    job: Job | None
    dataset: Dataset
    method: Method

    @property
    def candidate(self) -> Candidate:
        """The model as an evaluation names it."""
        model = self.model
        return Candidate(model.id, model.provider, model.base_model, model.id)


async def original_of(connection: AsyncConnection, model: TunedModel) -> Original:
    """The model with its job, data and recipe; raises `RecipeUnknown` where they are not here."""
    ref = model.dataset
    dataset = None if ref is None else (await datasets.find_many(connection, [ref.id])).get(ref.id)
    if dataset is None:
        raise RecipeUnknown(
            f"What {model.id} was trained on is not here. Import the provider's files together "
            "with its models, or upload the data and create a job with it."
        )
    if model.method is None:
        raise RecipeUnknown(f"How {model.id} was trained is not known; create a job by hand.")
    job = None if model.job_id is None else await jobs.find(connection, model.job_id)
    return Original(model=model, job=job, dataset=dataset, method=model.method)


async def held_out_for(
    connection: AsyncConnection, original: Original, wanted: str | None
) -> HeldOut:
    """The examples to compare on: those that are named, else those of the model's own job.

    Raises `HeldOutMissing` where all that is here was trained on, and `DatasetTooSmall` where the
    examples are too few to decide anything.
    """
    found = await _held_out(connection, original, wanted)
    if found is None:
        raise _no_held_out(
            f"{original.model.id} has no examples of its own that it was not trained on: name a "
            "held-out dataset as evaluate.dataset."
        )
    dataset, origin = found
    if dataset.sha256 == original.dataset.sha256:
        raise _no_held_out(
            f"{dataset.name}@{dataset.version} is what {original.model.id} was trained on; name "
            "examples that it has not seen as evaluate.dataset."
        )
    if dataset.examples < MINIMUM_EXAMPLES:
        raise DatasetTooSmall(
            f"{dataset.name}@{dataset.version} has {dataset.examples} examples; a gate decides on "
            f"{MINIMUM_EXAMPLES} at the least.",
            faults=[Fault("dataset_too_small", "add held-out examples", "/evaluate/dataset")],
        )
    return HeldOut(dataset=dataset.ref, origin=origin, examples=dataset.examples)


async def alias_to_move(
    connection: AsyncConnection, name: str | None, replaced: Candidate
) -> Alias | None:
    """The alias that is to mean the new model, where it is there already.

    Raises `CandidateInvalid` where it means another model than the one that is replaced.
    """
    alias = None if name is None else await aliases.find(connection, name)
    if alias is not None and not is_same(alias.target, replaced):
        raise _wrong(
            "alias_elsewhere",
            f"{name} means {alias.target.name} now: migrate that one, or promote another alias.",
            "/promote/alias",
        )
    return alias


class Baselines:
    """Decides whom a new model is compared with, by what is known without asking anybody."""

    def __init__(self, providers: Mapping[str, Provider], *, clock: Callable[[], int]) -> None:
        self._providers = providers
        self._clock = clock

    async def choose(
        self, connection: AsyncConnection, original: Original, held_out: HeldOut, base: Candidate
    ) -> Baseline:
        """The replaced model, else answers of it that are kept, else the base model `base`."""
        why = await self._silent(connection, original.model)
        replaced = original.candidate
        if why is None:
            return Baseline(candidate=replaced, kind=BaselineKind.MODEL)
        kept = await evaluations.find_answering(
            connection, dataset_id=held_out.dataset.id, model_id=original.model.id
        )
        if kept is None:
            return Baseline(candidate=base, kind=BaselineKind.BASE_MODEL, why=why)
        return Baseline(
            candidate=replaced, kind=BaselineKind.KEPT_ANSWERS, evaluation_id=kept.id, why=why
        )

    async def _silent(self, connection: AsyncConnection, model: TunedModel) -> str | None:
        """Why the model cannot be asked; None where nothing speaks against it."""
        provider = self._providers.get(model.provider)
        if provider is None or provider.missing:
            return f"{model.provider} is not configured here."
        try:
            listed = await vendor_lists.find(connection, model.provider)
            base = await asyncio.to_thread(offers.offer, provider, model.base_model, listed)
        except BaseModelUnknown:
            base = None
        ends_at = base.serving_ends_at if base else None
        if ends_at is not None and day_of(self._clock()) >= ends_at:
            return f"{model.provider} serves {model.id} no more since {ends_at}."
        if deploys(provider):
            hosted = (await hosting.find_many(connection, [model.id])).get(model.id)
            if hosted is None or hosted.state is not HostingState.READY:
                return f"{model.id} is not deployed."
        return None


def gate_for(
    wanted: Gate | None, alias: Alias | None, metrics: list[str], baseline: Baseline
) -> Gate:
    """The gate that is asked for, else the alias's, else the usual one.

    Raises `CandidateInvalid` for one that could never let the alias move.
    """
    demanded = alias.gate if alias else None
    if demanded is not None and baseline.kind is BaselineKind.BASE_MODEL:
        raise _wrong(
            "baseline_gone",
            f"The gate of {alias.name if alias else ''} asks for a comparison with "
            f"{alias.target.name if alias else ''}. {baseline.why} Evaluate it on these examples "
            "while it answers, take the gate away, or send promote: null.",
            "/promote/alias",
        )
    gate = wanted or demanded
    if gate is None:
        replaces = baseline.kind is not BaselineKind.BASE_MODEL
        return usual_gate(metrics, replaces=replaces)
    if promotion_gate(gate) is None:
        raise _wrong("judge_missing", "The evaluation of a job has no judge.", "/gate")
    if demanded is not None and not is_as_strict(gate, demanded):
        raise _wrong("gate_weaker", "The alias asks for more than this gate does.", "/gate")
    return gate


async def _held_out(
    connection: AsyncConnection, original: Original, wanted: str | None
) -> tuple[Dataset, HeldOutOrigin] | None:
    if wanted is not None:
        return await datasets.get(connection, wanted), HeldOutOrigin.REQUEST
    job = original.job
    evaluated = job.evaluate.dataset_id if job and job.evaluate else ""
    validated = job.validation_dataset.id if job and job.validation_dataset else ""
    there = await datasets.find_many(connection, [evaluated, validated])
    for id_, origin in (
        (evaluated, HeldOutOrigin.JOB_EVALUATION),
        (validated, HeldOutOrigin.JOB_VALIDATION),
    ):
        if id_ in there and there[id_].kind is DatasetKind.CHAT:
            return there[id_], origin
    return None


def _no_held_out(detail: str) -> HeldOutMissing:
    fault = Fault("held_out_missing", "name held-out examples", "/evaluate/dataset")
    return HeldOutMissing(detail, faults=[fault])


def _wrong(code: str, detail: str, pointer: str) -> CandidateInvalid:
    return CandidateInvalid(detail, faults=[Fault(code, detail, pointer)])
