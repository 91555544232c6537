"""The local provider's verbs: run folders, trainers in processes of their own, and a worker."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from app.domain.catalogue import Creation, Price, PriceUnit
from app.domain.compiling import Compiler
from app.domain.errors import BaseModelUnknown, Fault, Later, Never
from app.domain.jobs import Remote
from app.domain.provider import (
    Artifact,
    BaseModel,
    Epochs,
    ExampleSource,
    ExportedFile,
    Observation,
    ProviderSpec,
    Recipe,
    Servable,
    TrainingPlan,
    Weights,
)
from app.providers import readiness
from app.providers.local import LocalOptions, translate
from app.providers.local.base_models import (
    LocalBaseModel,
    UnknownBaseModel,
    find_base_model,
    list_base_models,
)
from app.providers.local.compiling import LIMITS, LocalCompiler
from app.providers.local.exports import MERGED_FOLDER, Exports
from app.providers.local.hyperparameters import BOUNDS, SFT_BOUNDS, expected_epochs, faults
from app.providers.local.records import RunSpec
from app.providers.local.runs import TRAIN_FILE, VALIDATION_FILE, RunFolder
from app.providers.local.serving import Serving
from app.providers.local.supervision import Runs
from app.providers.unoffered import Unoffered

SLOT_RETRY_SECONDS = 2.0

DISK_RETRY_SECONDS = 30.0

OWN_MACHINE = Price(
    unit=PriceUnit.TRAINING_HOURS,
    usd=Decimal(0),
    source="Your own machine: nobody sends a bill.",
    as_of=date(2026, 11, 23),
)


class LocalProvider(Unoffered):
    """Trains and answers on this machine; the run folders are its whole memory."""

    def __init__(self, spec: ProviderSpec, options: LocalOptions, data_dir: Path) -> None:
        self._spec = spec
        self._options = options
        root = (options.data_dir or data_dir / "local").absolute() / "runs"
        self._runs = Runs(root)
        self._serving = Serving(options, root)
        self._exports = Exports(options, root)

    @property
    def spec(self) -> ProviderSpec:
        return self._spec

    @property
    def missing(self) -> Sequence[str]:
        """Nothing: the defaults do."""
        return ()

    @property
    def creation(self) -> Creation:
        """Open for as long as the machine is there."""
        return Creation()

    def base_models(self) -> Sequence[BaseModel]:
        """The packaged model and what the Hugging Face cache holds."""
        return [_base_model(found) for found in list_base_models()]

    def base_model(self, name: str) -> BaseModel:
        """The packaged model, a folder, or any Hugging Face name."""
        try:
            return _base_model(find_base_model(name))
        except UnknownBaseModel as error:
            fault = Fault("base_model_unknown", str(error), "/base_model")
            raise BaseModelUnknown(str(error), faults=[fault]) from error

    def check(self, recipe: Recipe) -> Sequence[Fault]:
        """Bounds of the hyperparameters."""
        return [
            msgspec.structs.replace(fault, pointer=f"/method/hyperparameters{fault.pointer}")
            for fault in faults(recipe.method.hyperparameters)
        ]

    def epochs(self, recipe: Recipe) -> Epochs:
        """As asked for, or what `auto` means for a model of this size."""
        base = find_base_model(recipe.base_model.name)
        return expected_epochs(
            recipe.method.hyperparameters, method=recipe.method.type, parameters=base.parameters
        )

    def compiler(self, recipe: Recipe) -> Compiler:
        """The base model's own tokenizer and chat template, in a process of its own."""
        base = find_base_model(recipe.base_model.name)
        return LocalCompiler(base, recipe.method)

    async def free_slots(self) -> int:
        """How many more trainers may start."""
        running = await asyncio.to_thread(self._runs.count_open)
        return max(self._options.max_parallel_runs - running, 0)

    async def find(self, key: str) -> Remote | None:
        """The run folder of that key; it was committed in one step, so it is there or not."""
        return Remote(id=key) if await asyncio.to_thread(self._runs.folder(key).exists) else None

    async def submit(self, plan: TrainingPlan) -> Remote:
        """Commit the run folder and start its trainer; a folder that exists is adopted."""
        readiness.require_packages(self._spec)
        if await self.free_slots() < 1:
            raise Later("Waiting for a training to end.", retry_after=SLOT_RETRY_SECONDS)
        spec = await asyncio.to_thread(self._run_spec, plan)
        try:
            await self._commit(plan, spec)
        except OSError as error:
            # Nothing was created: only a folder with its final name is a run.
            raise Later(
                f"The run's folder cannot be written ({error}).", retry_after=DISK_RETRY_SECONDS
            ) from error
        await asyncio.to_thread(self._runs.start, plan.key)
        return Remote(id=plan.key)

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """Read what the trainer told; start one where none lives and the run is not over."""
        return await asyncio.to_thread(self._runs.look, remote.id, translate.Cursor.parse(cursor))

    async def cancel(self, remote: Remote) -> None:
        """SIGTERM first, so that a checkpoint is saved; SIGKILL once the grace is over."""
        grace = self._options.cancel_grace_seconds
        await asyncio.to_thread(self._runs.cancel, remote.id, grace_seconds=grace)

    async def logs(self, remote: Remote, offset: int) -> tuple[bytes, int]:
        """What the trainer and its libraries printed."""
        return await asyncio.to_thread(self._runs.read_log, remote.id, offset)

    async def probe(self, artifact: Artifact) -> None:
        """Let the worker load the artefact and answer with one token."""
        await self._serving.probe(artifact)

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """One answer of the worker, or of the server that stands in its place."""
        return await self._serving.chat(model, request)

    def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks."""
        return self._serving.chat_stream(model, request)

    async def delete(self, artifact: str) -> None:
        """Remove the weights; what the run recorded stays."""
        folder = self._runs.root / artifact
        for weights in (folder, folder.with_name(MERGED_FOLDER)):
            await asyncio.to_thread(shutil.rmtree, weights, ignore_errors=True)

    async def export(self, artifact: str, weights: Weights) -> Sequence[ExportedFile]:
        """The weights as they were saved, or merged by a process of its own and kept beside."""
        return await self._exports.files(artifact, weights)

    async def close(self) -> None:
        """End our worker; trainers go on."""
        await self._serving.close()
        await self._exports.close()

    async def _commit(self, plan: TrainingPlan, spec: RunSpec) -> None:
        """Write the whole run folder and give it its name in one step; one that exists stays."""
        staging = await asyncio.to_thread(RunFolder.stage, self._runs.root, plan.key)
        await _write(plan.training, staging / TRAIN_FILE)
        if plan.validation is not None:
            await _write(plan.validation, staging / VALIDATION_FILE)
        with contextlib.suppress(FileExistsError):
            await asyncio.to_thread(RunFolder.commit, staging, spec)

    def _run_spec(self, plan: TrainingPlan) -> RunSpec:
        try:
            base = find_base_model(plan.base_model)
        except UnknownBaseModel as error:
            raise Never(str(error), code="base_model_unknown") from error
        model, adapter = base.model, None
        if plan.parent_artifact is not None:
            model, adapter = self._continued(plan.parent_artifact, base)
        limit = self._options.memory_limit_mb
        return RunSpec(
            key=plan.key,
            base_model=plan.base_model,
            model=model,
            adapter_from=adapter,
            method="dpo" if plan.method.type == "dpo" else "sft",
            hyperparameters=plan.method.hyperparameters,
            seed=plan.seed,
            memory_limit_bytes=None if limit is None else limit * 1024 * 1024,
            threads=self._options.threads,
        )

    def _continued(self, artifact: str, base: LocalBaseModel) -> tuple[str, str | None]:
        """What to load for a training that goes on from a tuned model: (model, adapter)."""
        folder = self._runs.root / artifact
        if not folder.is_dir():
            raise Never(
                "The weights of the model to continue from are gone.", code="artifact_missing"
            )
        if (folder / "adapter_config.json").is_file():
            result = RunFolder(folder.parent).result()
            named = result.artifact.base if result and result.artifact else base.model
            return named, str(folder)
        return str(folder), None


def _base_model(found: LocalBaseModel) -> BaseModel:
    return BaseModel(
        name=found.name,
        methods=["sft", "dpo"],
        context_length=found.context_length,
        parameters=found.parameters,
        limits=LIMITS,
        hyperparameters={"sft": SFT_BOUNDS, "dpo": BOUNDS},
        prices=[OWN_MACHINE],
    )


async def _write(source: ExampleSource, path: Path) -> None:
    with path.open("wb") as file:
        async for chunk in source.chunks():
            await asyncio.to_thread(file.write, chunk)
