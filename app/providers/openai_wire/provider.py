"""The verbs of a vendor that speaks OpenAI's wire; the SDK is loaded when one needs it."""

import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from app.domain.catalogue import BaseModel, Catalogue, Creation, Limits
from app.domain.compiling import Compiler
from app.domain.errors import (
    Fault,
    ModelUnavailable,
    ProviderNotConfigured,
    YourTurn,
)
from app.domain.jobs import Millis, Remote
from app.domain.provider import (
    Artifact,
    Epochs,
    Inventory,
    ListedModel,
    Observation,
    Operation,
    ProviderSpec,
    Recipe,
    Servable,
    Submitted,
    TrainingPlan,
)
from app.providers import readiness
from app.providers.openai_wire import hyperparameters, naming, webhooks
from app.providers.openai_wire.compiling import LineCompiler
from app.providers.unoffered import Unoffered

if TYPE_CHECKING:
    from app.providers.openai_wire.account import WireAccount


class WireProvider(Unoffered):
    """One connection; without credentials it checks and compiles.

    A vendor's folder says what is missing, how its account is opened, and where a webhook's
    secret is.
    """

    prefix: ClassVar[bytes] = b""
    """What stands before the first line of a file."""

    def __init__(self, spec: ProviderSpec, name: str, catalogue: Catalogue) -> None:
        self._spec = spec
        self._name = name
        self._catalogue = catalogue
        self._opened: WireAccount | None = None

    @property
    @abstractmethod
    def missing(self) -> Sequence[str]:
        """The variables that must be set before anything can be sent."""

    @abstractmethod
    def _open(self) -> "WireAccount":
        """The account behind the options, none of which is missing."""

    @property
    def spec(self) -> ProviderSpec:
        return self._spec

    @property
    def creation(self) -> Creation:
        """Open until the day that the vendor has announced, or that the operator knows of."""
        return self._catalogue.creation

    def base_models(self) -> Sequence[BaseModel]:
        """The catalogue's."""
        return self._catalogue.models

    def base_model(self, name: str) -> BaseModel:
        """One of the catalogue, or what was tuned from one (`ft:...`)."""
        return self._catalogue.known(name, place=self._spec.title, base=self._base_of(name))

    def check(self, recipe: Recipe) -> Sequence[Fault]:
        """Bounds of the hyperparameters, and the grader of a reinforcement."""
        return hyperparameters.faults(recipe.base_model, recipe.method)

    def epochs(self, recipe: Recipe) -> Epochs:
        """As asked for, or what OpenAI is known to choose by the number of examples."""
        return hyperparameters.epochs(recipe.method, recipe.dataset.examples)

    def compiler(self, recipe: Recipe) -> Compiler:
        """The method's lines, with the base model's limits."""
        return self._compiler(recipe.method.type, recipe.base_model.limits)

    async def free_slots(self) -> int | None:
        """Such vendors queue by themselves."""
        return None

    async def find(self, key: str) -> Remote | None:
        """By the key in the metadata: the vendor's filter where it has one, then all jobs."""
        return await self._account().jobs.find(key)

    async def submitted(self, since: Millis) -> Sequence[Submitted]:
        """All jobs with a key in their metadata."""
        return await self._account().jobs.submitted(since)

    async def submit(self, plan: TrainingPlan) -> Remote:
        """Upload what is not there yet, and create one job."""
        account = self._account()
        compiler = self._compiler(plan.method.type, Limits())
        kind = self._spec.methods[plan.method.type]
        return await account.submission.submit(plan, compiler, kind)

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """Read the job, its events and, where there is news, its checkpoints."""
        return await self._account().jobs.observe(remote, cursor)

    async def cancel(self, remote: Remote) -> None:
        """Ask for the end."""
        await self._account().jobs.cancel(remote)

    async def pause(self, remote: Remote) -> None:
        """Ask for a pause, where the vendor has one."""
        if Operation.PAUSE not in self._spec.operations:
            await super().pause(remote)
        await self._account().jobs.pause(remote)

    async def resume(self, remote: Remote) -> None:
        """Ask to go on, where the vendor can pause."""
        if Operation.RESUME not in self._spec.operations:
            await super().resume(remote)
        await self._account().jobs.resume(remote)

    async def probe(self, artifact: Artifact) -> None:
        """Ask the tuned model for one token."""
        await self._account().probe(artifact.handle)

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """The vendor's own answer."""
        return await self._answering().chat.chat(model.artifact or model.base_model, request)

    async def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks."""
        chat = self._answering().chat
        async for chunk in chat.chat_stream(model.artifact or model.base_model, request):
            yield chunk

    async def delete(self, artifact: str) -> None:
        """Remove the tuned model, its checkpoints, and the files that made it."""
        await self._answering().remove(artifact)

    async def list_models(self) -> Sequence[ListedModel]:
        """The base models of the vendor's own list."""
        return await self._account().stock.base_models()

    def newcomer(self, name: str) -> BaseModel:
        """What holds of every model of the catalogue; its price is not known."""
        return self._catalogue.newcomer(name)

    async def inventory(self, since: Millis) -> Inventory:
        """All jobs, training files and tuned models of the account."""
        return await self._account().stock.inventory(since)

    async def file_content(self, file_id: str) -> AsyncIterator[bytes]:
        """A training file as it was uploaded."""
        async for piece in self._answering().stock.content(file_id):
            yield piece

    async def close(self) -> None:
        """Let go of connections."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _base_of(self, name: str) -> str | None:
        """The base of a tuned model or of its checkpoint; None for a base model."""
        return naming.base_of(name)

    def _compiler(self, method: str, limits: Limits) -> Compiler:
        return LineCompiler(method, limits=limits, prefix=self.prefix)

    def _webhook(self, headers: Mapping[str, str], body: bytes, secret: str | None) -> str | None:
        if secret is None:
            variable = readiness.variable(self._name, "webhook_secret")
            raise ProviderNotConfigured(f"No webhook can be trusted yet: set {variable}.")
        return webhooks.job_of(headers, body, secret=secret, now=time.time())

    def _account(self) -> "WireAccount":
        if self._opened is None:
            readiness.require_packages(self._spec)
            readiness.require_configured(self._spec, self.missing)
            self._opened = self._open()
        return self._opened

    def _answering(self) -> "WireAccount":
        """The account for whoever asks a model, who cannot be told that it is their turn."""
        try:
            return self._account()
        except YourTurn as error:
            raise ModelUnavailable(error.message) from error
