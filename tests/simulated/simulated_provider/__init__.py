"""A place to train that lives in a folder: every request leaves a file, so that tests can count.

It stands at the provider port like any other package from outside (see the entry point beside
this one), and keeps all that it knows on disk: processes may die and come back.
"""

import asyncio
import json
import os
import signal
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from pydantic import BaseModel as OptionsModel
from pydantic import ConfigDict

from app.domain.catalogue import Creation, Limits, Price, PriceUnit
from app.domain.compiling import AsItIs, Compiler
from app.domain.datasets import DatasetKind
from app.domain.errors import BaseModelUnknown, Fault, Later, Never, RateLimited
from app.domain.jobs import JobError, MetricPoint, Progress, Remote
from app.domain.provider import (
    Artifact,
    BaseModel,
    Connection,
    Deployment,
    DeploymentState,
    Epochs,
    ListedModel,
    Observation,
    Operation,
    ProviderSpec,
    Recipe,
    RemoteState,
    Servable,
    Submitted,
    TrainingPlan,
)


class SimulatedOptions(OptionsModel):
    """Where the vendor's folder is, and how long a training takes there."""

    model_config = ConfigDict(extra="forbid")

    folder: Path
    looks_until_done: int = 2
    settle_seconds: float = 0.0
    maximum_examples: int | None = None
    sft_only_ends_at: date | None = None
    serving_ends_at: date | None = None
    creation_closes_at: date | None = None
    tells_tokens: bool = False


PRICE = Price(
    unit=PriceUnit.TRAINING_TOKENS, usd=Decimal(25), source="the simulation", as_of=date(2026, 1, 1)
)


HOSTING_USD = Decimal("1.70")

TOKENS_EACH = 1_000_000
"""What the vendor says that it trained on for every example."""


class SimulatedProvider:
    """One vendor account; `order` arranges what happens next."""

    def __init__(self, options: SimulatedOptions) -> None:
        self._options = options
        self._jobs = options.folder / "jobs"
        self._orders = options.folder / "orders"
        self._jobs.mkdir(parents=True, exist_ok=True)
        self._orders.mkdir(parents=True, exist_ok=True)
        self._deployments = options.folder / "deployments"
        self._deployments.mkdir(parents=True, exist_ok=True)

    @classmethod
    def at(cls, folder: Path, **options: Any) -> "SimulatedProvider":
        """The vendor whose whole state is in this folder."""
        return cls(SimulatedOptions(folder=folder, **options))

    # What a test says and reads.

    def order(self, point: str, what: str, *, times: int = 1) -> None:
        """At the next pass of `point`: `die` (kill -9), `lose` (raise), `hang`, `refuse`, `later`.

        Points are `<verb>` and `<verb>-done`, such as `submit` and `submit-done`; `times` orders
        the same for so many passes.
        """
        draft = self._orders / f".{point}"
        draft.write_text(f"{what} {times}")
        draft.rename(self._orders / point)

    def has_order(self, point: str) -> bool:
        """Whether what was ordered for `point` has still to happen."""
        return (self._orders / point).exists()

    def add_created(self, key: str, remote: str, *, status: str = "running") -> None:
        """A job that was created by a request whose answer nobody got."""
        self._write({"id": remote, "key": key, "status": status, "looks": 0, "examples": 1})

    def created(self) -> list[dict[str, Any]]:
        """Every job that was ever created at the vendor, oldest first."""
        files = sorted(self._jobs.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [json.loads(path.read_text()) for path in files]

    def asked(self) -> list[str]:
        """What was asked of every model, in order."""
        try:
            lines = (self._options.folder / "asked").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def deployed(self) -> list[str]:
        """Every deployment that was ever made, oldest first: the model and its tier."""
        made = self._deployments / "made"
        return made.read_text().splitlines() if made.exists() else []

    def lose_deployments(self) -> None:
        """Remove what is deployed, as vendors do with what nobody asks."""
        for path in self._deployments.glob("*.deployment"):
            path.unlink()

    def lists(self, *models: ListedModel) -> None:
        """Let the vendor's own list of models say just this."""
        (self._options.folder / "models").write_bytes(msgspec.json.encode(models))

    # The port.

    @property
    def spec(self) -> ProviderSpec:
        return spec(self._options.settle_seconds)

    @property
    def missing(self) -> Sequence[str]:
        return ()

    @property
    def creation(self) -> Creation:
        return Creation(closes_at=self._options.creation_closes_at)

    def base_models(self) -> Sequence[BaseModel]:
        return [
            BaseModel(
                "sim-base",
                ["sft", "dpo"],
                prices=[PRICE],
                serving_ends_at=self._options.serving_ends_at,
            ),
            BaseModel("sim-sft-only", ["sft"], training_ends_at=self._options.sft_only_ends_at),
        ]

    def base_model(self, name: str) -> BaseModel:
        for base in self.base_models():
            if base.name == name:
                return base
        raise BaseModelUnknown(f"No base model {name!r} here; there are sim-base, sim-sft-only.")

    def check(self, recipe: Recipe) -> Sequence[Fault]:
        epochs = recipe.method.hyperparameters.get("epochs", "auto")
        if epochs == "auto" or (isinstance(epochs, int) and 1 <= epochs <= 50):
            return []
        pointer = "/method/hyperparameters/epochs"
        return [Fault("hyperparameter_out_of_bounds", "epochs must be 1 to 50", pointer)]

    def epochs(self, recipe: Recipe) -> Epochs:
        asked = recipe.method.hyperparameters.get("epochs", "auto")
        return Epochs(1, 3) if asked == "auto" else Epochs(asked, asked)

    def compiler(self, recipe: Recipe) -> Compiler:
        return AsItIs(limits=Limits(maximum_examples=self._options.maximum_examples))

    async def free_slots(self) -> int | None:
        return None

    async def find(self, key: str) -> Remote | None:
        await self._pass("find")
        for job in self.created():
            if job["key"] == key:
                return Remote(id=job["id"], status=job["status"])
        return None

    async def submit(self, plan: TrainingPlan) -> Remote:
        await self._pass("submit")
        lines = b"".join([chunk async for chunk in plan.training.chunks()]).splitlines()
        job: dict[str, Any] = {
            "id": f"sim-{uuid.uuid4().hex[:12]}",
            "key": plan.key,
            "status": "running",
            "looks": 0,
            "base_model": plan.base_model,
            "parent": plan.parent_artifact,
            "examples": len(lines),
            "validation": plan.validation.count if plan.validation else 0,
        }
        self._write(job)
        await self._pass("submit-done")
        return Remote(id=job["id"], status="running")

    async def submitted(self, since: int) -> Sequence[Submitted]:
        await self._pass("submitted")
        return [
            Submitted(key=job["key"], remote=Remote(id=job["id"]), state=_state(job))
            for job in self.created()
        ]

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        await self._pass("observe")
        job = self._read(remote.id)
        if job["status"] == "running":
            job["looks"] += 1
            if job["looks"] >= self._options.looks_until_done:
                job["status"] = "succeeded"
            self._write(job)
        await self._pass("observe-done")
        seen = _observation(job, self._options.looks_until_done)
        return seen if self._options.tells_tokens else replace(seen, trained_tokens=None)

    async def cancel(self, remote: Remote) -> None:
        await self._pass("cancel")
        self._move(remote, {"running", "paused"}, "cancelled")
        await self._pass("cancel-done")

    async def pause(self, remote: Remote) -> None:
        await self._pass("pause")
        self._move(remote, {"running"}, "paused")

    async def resume(self, remote: Remote) -> None:
        await self._pass("resume")
        self._move(remote, {"paused"}, "running")

    async def logs(self, remote: Remote, offset: int) -> tuple[bytes, int]:
        log = f"training {remote.id}\n".encode()
        return log[offset:], len(log)

    async def probe(self, artifact: Artifact) -> None:
        await self._pass("probe")

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """A tuned model repeats the question; a base model does not understand it."""
        await self._pass("chat")
        with (self._options.folder / "asked").open("a") as asked:
            asked.write(f"{json.dumps(request['messages'][-1].get('content'))}\n")
        text = _answer(model, request)
        message = {"role": "assistant", "content": text}
        return {
            "id": "chatcmpl-sim",
            "object": "chat.completion",
            "created": 1,
            "model": model.base_model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }

    async def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        await self._pass("chat")
        for word in _answer(model, request).split():
            yield {
                "id": "chatcmpl-sim",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": model.base_model,
                "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}],
            }

    async def list_models(self) -> Sequence[ListedModel]:
        await self._pass("list")
        listed = (self._options.folder / "models").read_bytes()
        return msgspec.json.decode(listed, type=list[ListedModel])

    def newcomer(self, name: str) -> BaseModel:
        return BaseModel(name, ["sft"])

    async def deploy(self, artifact: str, *, tier: str | None = None) -> Deployment:
        """One deployment for each model; `deployed` counts how many there ever were."""
        await self._pass("deploy")
        if not self._deployment(artifact).exists():
            with (self._deployments / "made").open("a") as made:
                made.write(f"{artifact} {tier or 'usual'}\n")
            self._deployment(artifact).write_text(tier or "usual")
        await self._pass("deploy-done")
        return self._served(artifact)

    async def undeploy(self, artifact: str) -> None:
        await self._pass("undeploy")
        self._deployment(artifact).unlink(missing_ok=True)
        await self._pass("undeploy-done")

    async def deployment(self, artifact: str) -> Deployment | None:
        await self._pass("deployment")
        return self._served(artifact) if self._deployment(artifact).exists() else None

    async def delete(self, artifact: str) -> None:
        await self._pass("delete")

    async def close(self) -> None:
        return

    async def _pass(self, point: str) -> None:
        """Do what was ordered for this point, as often as it was."""
        try:
            what, times = (self._orders / point).read_text().split()
        except FileNotFoundError:
            return
        (self._orders / point).unlink()
        if int(times) > 1:
            self.order(point, what, times=int(times) - 1)
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "hang":
            await asyncio.Event().wait()
        if what == "refuse":
            raise Never("The vendor refuses.", code="refused", hint="Ask for something else.")
        if what == "later":
            raise Later("The vendor is busy.", retry_after=0.05)
        if what == "limit":
            raise RateLimited("Too many requests.", retry_after=600)
        raise ConnectionResetError(f"the answer to {point} was lost")

    def _deployment(self, artifact: str) -> Path:
        return self._deployments / f"{artifact}.deployment"

    def _served(self, artifact: str) -> Deployment:
        return Deployment(
            name=f"serving-{artifact}",
            state=DeploymentState.READY,
            usd_per_hour=HOSTING_USD,
            detail="Running",
            tier=self._deployment(artifact).read_text(),
        )

    def _move(self, remote: Remote, allowed: set[str], status: str) -> None:
        job = self._read(remote.id)
        if job["status"] in allowed:
            self._write(job | {"status": status})

    def _read(self, job_id: str) -> dict[str, Any]:
        return json.loads((self._jobs / f"{job_id}.json").read_text())

    def _write(self, job: dict[str, Any]) -> None:
        path = self._jobs / f"{job['id']}.json"
        fresh = path.with_suffix(".tmp")
        fresh.write_text(json.dumps(job))
        fresh.rename(path)


def connect(connection: Connection) -> SimulatedProvider:
    """As the catalogue calls it."""
    assert isinstance(connection.options, SimulatedOptions)
    return SimulatedProvider(connection.options)


def spec(settle_seconds: float = 0.0) -> ProviderSpec:
    """How the vendor introduces itself; a test may give it a time to settle."""
    return ProviderSpec(
        kind="simulated",
        title="A simulated vendor",
        methods={"sft": DatasetKind.CHAT, "dpo": DatasetKind.PREFERENCE},
        operations=frozenset(Operation),
        options=SimulatedOptions,
        connect=connect,
        settle_seconds=settle_seconds,
        create_timeout_seconds=2.0,
    )


SPEC = spec()


def _observation(job: dict[str, Any], looks: int) -> Observation:
    state = _state(job)
    is_done = state is RemoteState.SUCCEEDED
    done = min(job["looks"] / looks, 1.0)
    return Observation(
        state=state,
        remote=Remote(id=job["id"], status=job["status"]),
        look_again_in=0.02,
        progress=Progress(percent=round(100 * done, 1), step=job["looks"], total_steps=looks),
        metrics=[MetricPoint(job["looks"], {"loss": 1.0 - done})],
        artifact=_artifact(job) if is_done else None,
        trained_tokens=int(TOKENS_EACH * job["examples"] * done),
        error=JobError("vendor_failed", "It failed.") if state is RemoteState.FAILED else None,
    )


def _state(job: dict[str, Any]) -> RemoteState:
    return RemoteState(job["status"]) if job["status"] in set(RemoteState) else RemoteState.UNKNOWN


def _artifact(job: dict[str, Any]) -> Artifact:
    return Artifact(
        handle=f"tuned-{job['id']}", kind="remote", trained_tokens=TOKENS_EACH * job["examples"]
    )


def _answer(model: Servable, request: dict[str, Any]) -> str:
    asked = str(request["messages"][-1].get("content"))
    return asked if model.artifact else "I do not know."
