"""OpenAI's verbs; the SDK is loaded when the first of them is needed."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from app.domain.catalogue import BaseModel, Creation
from app.domain.compiling import Compiler
from app.domain.errors import (
    BaseModelUnknown,
    Fault,
    ModelUnavailable,
    Never,
    ProviderNotConfigured,
    YourTurn,
)
from app.domain.jobs import Millis, Remote
from app.domain.provider import (
    Artifact,
    Connection,
    Epochs,
    Observation,
    ProviderSpec,
    Recipe,
    Servable,
    Submitted,
    TrainingPlan,
)
from app.providers.openai import INSTALL, PACKAGES, OpenAIOptions, base_models
from app.providers.openai_wire import hyperparameters, webhooks
from app.providers.openai_wire.compiling import LineCompiler

if TYPE_CHECKING:
    from app.providers.openai.account import Account


class OpenAIProvider:
    """One connection to OpenAI; without a key it checks and compiles."""

    def __init__(self, spec: ProviderSpec, connection: Connection) -> None:
        assert isinstance(connection.options, OpenAIOptions)
        self._spec = spec
        self._name = connection.name
        self._options = connection.options
        self._folder = connection.data_dir
        self._catalogue = base_models.catalogue(connection.correction)
        self._opened: Account | None = None

    @property
    def spec(self) -> ProviderSpec:
        return self._spec

    @property
    def missing(self) -> Sequence[str]:
        """The variable for the key, where none is set."""
        if self._options.secret("api_key"):
            return ()
        return (self._variable("API_KEY"),)

    @property
    def creation(self) -> Creation:
        """Open until the day that OpenAI has announced, or that the operator knows of."""
        return self._catalogue.creation

    def base_models(self) -> Sequence[BaseModel]:
        """The catalogue's."""
        return self._catalogue.models

    def base_model(self, name: str) -> BaseModel:
        """One of the catalogue, or what was tuned from one (`ft:...`)."""
        return base_models.base_model(self._catalogue, name)

    def check(self, recipe: Recipe) -> Sequence[Fault]:
        """Bounds of the hyperparameters, and the grader of a reinforcement."""
        return hyperparameters.faults(recipe.base_model, recipe.method)

    def epochs(self, recipe: Recipe) -> Epochs:
        """As asked for, or what OpenAI is known to choose by the number of examples."""
        return hyperparameters.epochs(recipe.method, recipe.dataset.examples)

    def compiler(self, recipe: Recipe) -> Compiler:
        """The method's lines, with the base model's limits."""
        return LineCompiler(recipe.method.type, limits=recipe.base_model.limits)

    async def free_slots(self) -> int | None:
        """OpenAI queues by itself."""
        return None

    async def find(self, key: str) -> Remote | None:
        """By the key in the metadata: the vendor's filter first, then all jobs."""
        return await self._account().jobs.find(key)

    async def submitted(self, since: Millis) -> Sequence[Submitted]:
        """All jobs with a key in their metadata."""
        return await self._account().jobs.submitted(since)

    async def submit(self, plan: TrainingPlan) -> Remote:
        """Upload what is not there yet, and create one job."""
        account = self._account()
        try:
            limits = self.base_model(plan.base_model).limits
        except BaseModelUnknown as error:
            raise Never(error.detail, code=error.code) from error
        compiler = LineCompiler(plan.method.type, limits=limits)
        kind = self._spec.methods[plan.method.type]
        return await account.submission.submit(plan, compiler, kind)

    async def observe(self, remote: Remote, cursor: str | None) -> Observation:
        """Read the job, its events and, where there is news, its checkpoints."""
        return await self._account().jobs.observe(remote, cursor)

    async def cancel(self, remote: Remote) -> None:
        """Ask for the end."""
        await self._account().jobs.cancel(remote)

    async def pause(self, remote: Remote) -> None:
        """Ask for a pause."""
        await self._account().jobs.pause(remote)

    async def resume(self, remote: Remote) -> None:
        """Ask to go on."""
        await self._account().jobs.resume(remote)

    async def logs(self, remote: Remote, offset: int) -> tuple[bytes, int]:
        """Not offered: the job's events are all that OpenAI tells."""
        raise Never("OpenAI gives no log; see the job's events.", code="operation_not_supported")

    async def probe(self, artifact: Artifact) -> None:
        """Ask the tuned model for one token."""
        await self._account().chat.probe(artifact.handle)

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

    def webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The job that a signed message is about."""
        secret = self._options.secret("webhook_secret")
        if secret is None:
            raise ProviderNotConfigured(
                f"No webhook can be trusted yet: set {self._variable('WEBHOOK_SECRET')}."
            )
        return webhooks.job_of(headers, body, secret=secret, now=time.time())

    async def close(self) -> None:
        """Let go of connections."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _account(self) -> "Account":
        if self._opened is None:
            self._require_packages()
            if self.missing:
                raise YourTurn(f"OpenAI needs a key: set {', '.join(self.missing)}; then retry.")
            from app.providers.openai.account import Account

            self._opened = Account(self._options, folder=self._folder)
        return self._opened

    def _answering(self) -> "Account":
        """The account for whoever asks a model, who cannot be told that it is their turn."""
        try:
            return self._account()
        except YourTurn as error:
            raise ModelUnavailable(error.message) from error

    def _require_packages(self) -> None:
        absent = [name for name in PACKAGES if find_spec(name) is None]
        if absent:
            raise YourTurn(f"OpenAI needs the package {', '.join(absent)}: {INSTALL}; then retry.")

    def _variable(self, option: str) -> str:
        return f"LUTHIER_PROVIDERS__{self._name.upper()}__{option}"
