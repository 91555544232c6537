"""The local provider's verbs: run folders, trainers in processes of their own, and a worker."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Generator, Sequence
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import structlog

from app.domain.errors import (
    BaseModelUnknown,
    Fault,
    Invalid,
    Later,
    ModelNotFound,
    ModelUnavailable,
    Never,
    YourTurn,
)
from app.domain.jobs import Remote
from app.domain.provider import (
    Artifact,
    BaseModel,
    ExampleSource,
    Observation,
    ProviderSpec,
    Recipe,
    RemoteState,
    Servable,
    TrainingPlan,
)
from app.providers.local import LocalOptions, translate
from app.providers.local.base_models import (
    LocalBaseModel,
    UnknownBaseModel,
    find_base_model,
    list_base_models,
)
from app.providers.local.durable import write_durably
from app.providers.local.hyperparameters import faults
from app.providers.local.inference.address import socket_path
from app.providers.local.inference.client import ChatModels, InferenceServer, InferenceWorker
from app.providers.local.inference.errors import InferenceRejected, InferenceUnavailable
from app.providers.local.inference.handles import ModelHandle
from app.providers.local.records import RunError, RunResult, RunSpec
from app.providers.local.runs import (
    TRAIN_FILE,
    VALIDATION_FILE,
    AlreadyRunning,
    NothingToRun,
    RunFolder,
)

log = structlog.get_logger()

FRUITLESS_LAUNCHES = 3
"""Trainers in a row that may die without getting any further before the job fails."""

LOG_BYTES_AT_ONCE = 64 * 1024

SLOT_RETRY_SECONDS = 2.0


class LocalProvider:
    """Trains and answers on this machine; the run folders are its whole memory."""

    def __init__(self, spec: ProviderSpec, options: LocalOptions, data_dir: Path) -> None:
        self._spec = spec
        self._options = options
        self._root = (options.data_dir or data_dir / "local").absolute() / "runs"
        self._ended: set[str] = set()
        self._worker = InferenceWorker(
            options.inference_socket or socket_path(self._root.parent),
            idle_seconds=options.inference_idle_seconds,
            threads=options.threads,
        )
        self._models = self._answering()

    @property
    def spec(self) -> ProviderSpec:
        return self._spec

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

    async def free_slots(self) -> int:
        """How many more trainers may start."""
        running = await asyncio.to_thread(self._count_open)
        return max(self._options.max_parallel_runs - running, 0)

    async def find(self, key: str) -> Remote | None:
        """The run folder of that key; it was committed in one step, so it is there or not."""
        return Remote(id=key) if await asyncio.to_thread(self._run(key).exists) else None

    async def submit(self, plan: TrainingPlan) -> Remote:
        """Commit the run folder and start its trainer; a folder that exists is adopted."""
        self._require_packages()
        if await self.free_slots() < 1:
            raise Later("Waiting for a training to end.", retry_after=SLOT_RETRY_SECONDS)
        spec = await asyncio.to_thread(self._run_spec, plan)
        staging = await asyncio.to_thread(RunFolder.stage, self._root, plan.key)
        await _write(plan.training, staging / TRAIN_FILE)
        if plan.validation is not None:
            await _write(plan.validation, staging / VALIDATION_FILE)
        with contextlib.suppress(FileExistsError):
            await asyncio.to_thread(RunFolder.commit, staging, spec)
        await asyncio.to_thread(self._start, self._run(plan.key))
        return Remote(id=plan.key)

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """Read what the trainer told; start one where none lives and the run is not over."""
        return await asyncio.to_thread(self._look, remote.id, translate.Cursor.parse(cursor))

    async def cancel(self, remote: Remote) -> None:
        """SIGTERM first, so that a checkpoint is saved; SIGKILL once the grace is over."""
        await asyncio.to_thread(self._cancel, self._run(remote.id))

    async def pause(self, remote: Remote) -> None:
        """Not offered."""
        raise Never("A local training cannot be paused.", code="operation_not_supported")

    async def resume(self, remote: Remote) -> None:
        """Not offered."""
        raise Never("A local training cannot be resumed.", code="operation_not_supported")

    async def logs(self, remote: Remote, offset: int) -> tuple[bytes, int]:
        """What the trainer and its libraries printed."""
        return await asyncio.to_thread(_read_log, self._run(remote.id).path / "log.txt", offset)

    async def probe(self, artifact: Artifact) -> None:
        """Let the worker load the artefact and answer with one token."""
        name = self._served_name(Servable(base_model="", artifact=artifact.handle))
        greeting = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
        try:
            await self._models.chat(name, greeting)
        except InferenceRejected as error:
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            raise Never(
                f"The trained model does not answer: {error.message}", code="artifact_unusable"
            ) from error

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """One answer of the worker, or of the server that stands in its place."""
        with _translated():
            return await self._models.chat(self._served_name(model), request)

    async def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks."""
        with _translated():
            async for chunk in self._models.chat_stream(self._served_name(model), request):
                yield chunk

    async def delete(self, artifact: str) -> None:
        """Remove the weights; what the run recorded stays."""
        await asyncio.to_thread(shutil.rmtree, self._root / artifact, ignore_errors=True)

    async def close(self) -> None:
        """End our worker, which starts again when it is needed; trainers go on."""
        await self._models.close()
        if self._options.inference_url is None and self._options.inference_socket is None:
            await self._worker.stop()

    def _answering(self) -> ChatModels:
        url, key = self._options.inference_url, self._options.inference_api_key
        if url is None:
            return self._worker
        return InferenceServer(url, api_key=key.get_secret_value() if key else None)

    def _run(self, key: str) -> RunFolder:
        return RunFolder(self._root / key)

    def _require_packages(self) -> None:
        missing = [name for name in self._spec.packages if find_spec(name) is None]
        if missing:
            raise YourTurn(
                f"Training on this machine needs {', '.join(missing)}: {self._spec.install}; "
                "then retry the job."
            )

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
        folder = self._root / artifact
        if not folder.is_dir():
            raise Never(
                "The weights of the model to continue from are gone.", code="artifact_missing"
            )
        if (folder / "adapter_config.json").is_file():
            result = RunFolder(folder.parent).result()
            named = result.artifact.base if result and result.artifact else base.model
            return named, str(folder)
        return str(folder), None

    def _count_open(self) -> int:
        """Runs that have a trainer or will get one again."""
        if not self._root.is_dir():
            return 0
        names = {path.name for path in self._root.iterdir() if not path.name.startswith(".")}
        for name in names - self._ended:
            run = self._run(name)
            is_over = run.result() is not None or run.cancel_requested()
            if is_over and not run.is_running():
                self._ended.add(name)
        return len(names - self._ended)

    def _start(self, run: RunFolder) -> None:
        """Start a trainer; where that fails now, the next look tries again."""
        try:
            run.launch()
        except (AlreadyRunning, NothingToRun):
            return
        except OSError as error:
            log.warning("trainer_not_started", run=run.path.name, problem=str(error))

    def _look(self, key: str, cursor: translate.Cursor) -> Observation:
        run = self._run(key)
        if not run.exists():
            raise Never(
                "The run's folder is gone.",
                code="run_lost",
                hint="Retry the job; keep the data directory on a disk that stays.",
            )
        # In this order: a trainer writes its result first and lets go of the lock afterwards.
        is_running = run.is_running()
        result = run.result()
        events, offset = run.read_events(cursor.offset)
        cursor = translate.advance(cursor, events, offset=offset, launches=run.launches())
        if events and run.read_events(offset, limit=1)[0]:
            return translate.observation(
                RemoteState.RUNNING, key, events, cursor, look_again_in=0.0
            )
        if result is not None and not is_running:
            state = translate.state_of(result)
            return translate.observation(state, key, events, cursor, result=result)
        if is_running:
            state = RemoteState.CANCELLING if run.cancel_requested() else RemoteState.RUNNING
            return translate.observation(state, key, events, cursor)
        if run.cancel_requested():
            return translate.observation(RemoteState.CANCELLED, key, events, cursor)
        launches = run.launches()
        if launches - cursor.launches_at_progress >= FRUITLESS_LAUNCHES:
            result = _give_up(run, launches, cursor.best_step)
            return translate.observation(RemoteState.FAILED, key, events, cursor, result=result)
        log.warning("trainer_died", run=run.path.name, launches=launches)
        self._start(run)
        return translate.observation(RemoteState.RUNNING, key, events, cursor)

    def _cancel(self, run: RunFolder) -> None:
        if not run.exists():
            return
        run.request_cancel()
        wished = (run.path / "cancel.json").stat().st_mtime
        if time.time() - wished > self._options.cancel_grace_seconds:
            run.kill()
        else:
            run.terminate()

    def _served_name(self, model: Servable) -> str:
        """The handle that the worker loads, or the name that another server knows it by."""
        if self._options.inference_url is not None:
            return model.artifact.split("/")[0] if model.artifact else model.base_model
        if model.artifact is None:
            return str(ModelHandle.base(find_base_model(model.base_model).model))
        folder = self._root / model.artifact
        if (folder / "adapter_config.json").is_file():
            return str(ModelHandle.adapter(folder))
        return str(ModelHandle.base(folder))


@contextlib.contextmanager
def _translated() -> Generator[None]:
    """The worker's errors in our words."""
    try:
        yield
    except InferenceRejected as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise ModelNotFound(error.message) from error
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ModelUnavailable(error.message) from error
        fault = Fault(
            error.code or "invalid_request", error.message, error.param and f"/{error.param}"
        )
        raise Invalid(error.message, faults=[fault]) from error
    except InferenceUnavailable as error:
        raise ModelUnavailable(str(error)) from error


def _give_up(run: RunFolder, launches: int, step: int) -> RunResult:
    """End a run whose trainers keep dying at one place, so that its slot is free."""
    error = RunError(
        code="trainer_killed",
        message=f"The trainer was killed {launches} times and got no further than step {step}.",
        hint="Most often the machine ran out of memory: lower batch_size or max_length, "
        "or choose adapter lora. The job's logs have the last lines.",
    )
    result = RunResult(outcome="failed", error=error, wall_seconds=run.wall_seconds())
    write_durably(run.path / "result.json", msgspec.json.encode(result))
    return result


def _base_model(found: LocalBaseModel) -> BaseModel:
    return BaseModel(
        name=found.name,
        methods=["sft", "dpo"],
        context_length=found.context_length,
        parameters=found.parameters,
    )


async def _write(source: ExampleSource, path: Path) -> None:
    with path.open("wb") as file:
        async for chunk in source.chunks():
            await asyncio.to_thread(file.write, chunk)


def _read_log(path: Path, offset: int) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            piece = file.read(LOG_BYTES_AT_ONCE)
    except FileNotFoundError:
        return b"", offset
    return piece, offset + len(piece)
