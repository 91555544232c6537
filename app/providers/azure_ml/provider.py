"""The Azure ML provider's verbs: staging, jobs, the trainer's files and removal, one file each."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from app.domain.catalogue import BaseModel, Creation, bounds_broken
from app.domain.compiling import Compiler
from app.domain.datasets import DatasetKind
from app.domain.errors import Fault, ModelUnavailable, Never
from app.domain.jobs import Millis, Remote
from app.domain.provider import (
    Artifact,
    Connection,
    Epochs,
    ExampleSource,
    Inventory,
    Observation,
    ProviderSpec,
    Recipe,
    RemoteState,
    Servable,
    TrainingPlan,
)
from app.providers import readiness
from app.providers.azure_ml import AzureMLOptions
from app.providers.azure_ml.account import Account
from app.providers.azure_ml.base_models import BaseModels, is_trainers
from app.providers.azure_ml.compiling import compiler_for
from app.providers.azure_ml.inventory import Stock
from app.providers.azure_ml.jobs import Jobs, Seen
from app.providers.azure_ml.orders import Files, Place, order
from app.providers.azure_ml.refusals import looking, removing
from app.providers.azure_ml.resources import Resources
from app.providers.azure_ml.runs import Runs
from app.providers.azure_ml.staging import Staging
from app.providers.azure_ml.translate import OVER, Cursor, Told, observation, remote_of, state_of
from app.providers.unoffered import Unoffered

VENDOR_EPOCHS = Epochs(1, 1)
"""What Microsoft's component for chat completion does by itself.

https://github.com/Azure/azureml-assets, finetune_acft_hf_nlp, chat_completion/spec.yaml
"""

TRAINER_EPOCHS = Epochs(2, 8)
"""Of Luthier's trainer, over all sizes and methods."""


class AzureMLProvider(Unoffered):
    """One workspace."""

    def __init__(self, spec: ProviderSpec, connection: Connection) -> None:
        options = connection.options
        assert isinstance(options, AzureMLOptions)
        self._spec = spec
        self._name = connection.name
        self._options = options
        self._base_models = BaseModels(connection.correction)
        self._account = Account(options)
        self._staging = Staging(self._account)
        self._jobs = Jobs(self._account)
        self._runs = Runs(self._account)
        self._resources = Resources(self._account)
        self._stock = Stock(self._account, self._resources)

    @property
    def spec(self) -> ProviderSpec:
        return self._spec

    @property
    def missing(self) -> Sequence[str]:
        """Settings without which there is nowhere to train; credentials are Azure's own."""
        wanted = ("subscription_id", "resource_group", "workspace", "compute")
        return readiness.unset(self._name, {one: getattr(self._options, one) for one in wanted})

    @property
    def creation(self) -> Creation:
        """What the catalogue knows of it."""
        return self._base_models.creation

    def base_models(self) -> Sequence[BaseModel]:
        """Those that are known by name; others are taken by their form."""
        return self._base_models.all

    def base_model(self, name: str) -> BaseModel:
        """By name or form."""
        return self._base_models.find(name)

    def check(self, recipe: Recipe) -> Sequence[Fault]:
        """Bounds of the hyperparameters."""
        method = recipe.method
        return bounds_broken(recipe.base_model, method.type, method.hyperparameters)

    def epochs(self, recipe: Recipe) -> Epochs:
        """As asked for; left open, what the component or the trainer may choose."""
        asked = recipe.method.hyperparameters.get("epochs", "auto")
        if asked != "auto":
            return Epochs(asked, asked)
        return TRAINER_EPOCHS if is_trainers(recipe.base_model.name) else VENDOR_EPOCHS

    def compiler(self, recipe: Recipe) -> Compiler:
        """Azure's form of chats, or the canonical lines for Luthier's own trainer."""
        return compiler_for(recipe.base_model)

    async def free_slots(self) -> int | None:
        """Azure does not say: jobs over the cluster's size wait there."""
        return None

    async def find(self, key: str) -> Remote | None:
        """The job whose name is the key."""
        found = await self._jobs.find(key)
        return None if found is None else remote_of(found)

    async def submit(self, plan: TrainingPlan) -> Remote:
        """Put the files into the workspace's storage, then the job under its name."""
        readiness.require_configured(self._spec, self.missing)
        readiness.require_packages(self._spec)
        training = await self._stage(plan, plan.training)
        validation = await self._stage(plan, plan.validation) if plan.validation else None
        place = Place(
            self._account.scope,
            self._account.datastore.name,
            self._options.compute or "",
            self._options.image,
        )
        job = await self._account.run(order, plan, Files(training, validation), place)
        return remote_of(await self._jobs.put(job))

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """Look at the job, and read on in the journal of Luthier's trainer."""
        job = await self._jobs.look(remote.id)
        told = Cursor.parse(cursor)
        return observation(job, await self._told(job, told), told)

    async def cancel(self, remote: Remote) -> None:
        """Ask Azure for the end."""
        await self._jobs.cancel(remote.id)

    async def probe(self, artifact: Artifact) -> None:
        """See that the model is registered: nothing serves it, so nothing can be asked.

        Luthier's trainer has loaded it and let it answer before the job ended.
        """
        with looking():
            await self._account.open()
            is_there = await self._account.run(self._resources.has_model, artifact.handle)
        if not is_there:
            raise Never(
                f"Azure ML has registered no model {artifact.handle}.", code="artifact_unusable"
            )

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """Not before somebody deploys it, which costs by the hour."""
        raise _not_served(model)

    async def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """As `chat`."""
        raise _not_served(model)
        yield

    async def delete(self, artifact: str) -> None:
        """Take the model out of the registry, with the files that Luthier's trainer left."""
        with removing():
            await self._account.open()
            await self._account.run(self._resources.remove_model, artifact)
            await self._account.run(self._runs.remove, artifact.partition(":")[0])

    async def inventory(self, since: Millis) -> Inventory:
        """All trainings of the workspace, with the files and the models that they name."""
        readiness.require_configured(self._spec, self.missing)
        return await self._stock.inventory(since)

    async def file_content(self, file_id: str) -> AsyncIterator[bytes]:
        """A training file as it lies in the workspace's storage."""
        async for piece in self._stock.content(file_id):
            yield piece

    async def close(self) -> None:
        """Let go of threads; trainings go on."""
        await self._account.close()

    async def _stage(self, plan: TrainingPlan, source: ExampleSource) -> str:
        kind: DatasetKind = self._spec.methods[plan.method.type]
        compiler = compiler_for(self.base_model(plan.base_model))
        return await self._staging.put(source, kind, compiler)

    async def _told(self, job: Seen, cursor: Cursor) -> Told:
        state, is_trainers_own = state_of(job), job.parameters is None
        journal = await self._runs.journal(job.name, cursor.offset) if is_trainers_own else b""
        has_outcome = is_trainers_own and state in OVER
        outcome = await self._runs.outcome(job.name) if has_outcome else None
        failed_unsaid = state is RemoteState.FAILED and (outcome is None or outcome.error is None)
        reason = await self._reason(job.name) if failed_unsaid else None
        model = await self._model(job) if state is RemoteState.SUCCEEDED else None
        return Told(journal=journal, outcome=outcome, reason=reason, model=model)

    async def _model(self, job: Seen) -> str | None:
        """What a job left that was not ours to name."""
        if job.output is None or job.output == job.name:
            return None
        return await self._stock.left_by(job.name, output=job.output)

    async def _reason(self, name: str) -> str | None:
        try:
            return await self._account.run(self._resources.reason, name)
        except httpx.HTTPError:
            # The failure is known all the same, and the job's page tells why.
            return None


def _not_served(model: Servable) -> ModelUnavailable:
    if model.artifact is None:
        return ModelUnavailable(f"Azure ML serves {model.base_model} nowhere; deploy it there.")
    return ModelUnavailable(
        f"Nothing serves the registered model {model.artifact}; deploy it to an endpoint in "
        "Azure ML studio, and ask it there."
    )
