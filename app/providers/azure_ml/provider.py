"""The Azure ML provider's verbs: staging, jobs, the trainer's files and removal, one file each."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx

from app.domain.catalogue import BaseModel, Creation, bounds_broken
from app.domain.compiling import Compiler
from app.domain.datasets import DatasetKind
from app.domain.errors import Fault, ModelUnavailable, Never, YourTurn
from app.domain.jobs import Remote
from app.domain.provider import (
    Artifact,
    Epochs,
    ExampleSource,
    Observation,
    ProviderSpec,
    Recipe,
    RemoteState,
    Servable,
    TrainingPlan,
)
from app.providers.azure_ml import AzureMLOptions, missing_options
from app.providers.azure_ml.account import Account, require_packages
from app.providers.azure_ml.base_models import BaseModels, is_trainers
from app.providers.azure_ml.compiling import compiler_for
from app.providers.azure_ml.jobs import Jobs, Seen
from app.providers.azure_ml.orders import Files, Place, order
from app.providers.azure_ml.refusals import looking, removing
from app.providers.azure_ml.resources import Resources
from app.providers.azure_ml.runs import Runs
from app.providers.azure_ml.staging import Staging
from app.providers.azure_ml.translate import OVER, Cursor, Told, observation, remote_of, state_of

VENDOR_EPOCHS = Epochs(1, 1)
"""What Microsoft's component for chat completion does by itself.

https://github.com/Azure/azureml-assets, finetune_acft_hf_nlp, chat_completion/spec.yaml
"""

TRAINER_EPOCHS = Epochs(2, 8)
"""Of Luthier's trainer, over all sizes and methods."""


class AzureMLProvider:
    """One workspace."""

    def __init__(
        self, spec: ProviderSpec, options: AzureMLOptions, correction: Mapping[str, Any]
    ) -> None:
        self._spec = spec
        self._options = options
        self._base_models = BaseModels(correction)
        self._account = Account(options)
        self._staging = Staging(self._account)
        self._jobs = Jobs(self._account)
        self._runs = Runs(self._account)
        self._resources = Resources(self._account)

    @property
    def spec(self) -> ProviderSpec:
        return self._spec

    @property
    def missing(self) -> Sequence[str]:
        """Settings without which there is nowhere to train; credentials are Azure's own."""
        return missing_options(self._options)

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
        bounds = recipe.base_model.hyperparameters.get(recipe.method.type, {})
        return [
            Fault(code, message, f"/method/hyperparameters/{name}")
            for name, code, message in bounds_broken(bounds, recipe.method.hyperparameters)
        ]

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
        self._require_configured()
        require_packages()
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

    async def pause(self, remote: Remote) -> None:
        """Not offered."""
        raise Never("Azure ML cannot pause a job.", code="operation_not_supported")

    async def resume(self, remote: Remote) -> None:
        """Not offered."""
        raise Never("Azure ML cannot resume a job.", code="operation_not_supported")

    async def logs(self, remote: Remote, offset: int) -> tuple[bytes, int]:
        """Not offered."""
        raise Never(
            "The log is on the job's page in Azure ML studio.", code="operation_not_supported"
        )

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

    async def close(self) -> None:
        """Let go of threads; trainings go on."""
        await self._account.close()

    def _require_configured(self) -> None:
        if self.missing:
            raise YourTurn(f"Set {', '.join(self.missing)}, then retry the job.")

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
        return Told(journal=journal, outcome=outcome, reason=reason)

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
