"""Azure OpenAI: the wire's verbs with Azure's catalogue, ways to sign in, and deployments."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from app.domain.errors import (
    Fault,
    ModelNotFound,
    ModelUnavailable,
    Steer,
    YourTurn,
)
from app.domain.provider import (
    Connection,
    Deployment,
    ListedModel,
    ProviderSpec,
    Recipe,
    Servable,
)
from app.providers import readiness
from app.providers.azure_openai import AzureOpenAIOptions, base_models, graders
from app.providers.azure_openai.deployments import Deployments, Unclear, name_of
from app.providers.azure_openai.entra import Credential, Entra
from app.providers.openai_wire.provider import WireProvider

if TYPE_CHECKING:
    from app.providers.openai_wire.account import WireAccount


class AzureOpenAIProvider(WireProvider):
    """One connection to a resource; without a key it checks and compiles.

    `credential` signs in to Entra in place of what the options name.
    """

    prefix = b"\xef\xbb\xbf"
    """Azure's guide wants files to begin with a byte order mark."""

    def __init__(
        self, spec: ProviderSpec, connection: Connection, credential: Credential | None = None
    ) -> None:
        options = connection.options
        assert isinstance(options, AzureOpenAIOptions)
        catalogue = base_models.catalogue(connection.correction, sku=options.deployment_sku)
        super().__init__(spec, connection.name, catalogue)
        self._options = options
        self._folder = connection.data_dir
        self._entra = Entra(options.credential or "default", credential)
        self._arm: Deployments | None = None

    @property
    def missing(self) -> Sequence[str]:
        """The variables of the endpoint and of the key, where they are not set."""
        options = self._options
        signed = options.credential or options.key
        return readiness.unset(self._name, {"endpoint": options.endpoint, "api_key": signed})

    def check(self, recipe: Recipe) -> Sequence[Fault]:
        """The wire's rules, and those for graders."""
        return [*super().check(recipe), *graders.faults(recipe.method)]

    async def deploy(self, artifact: str, *, tier: str | None = None) -> Deployment:
        """Have the tuned model served, under a name that follows from its own."""
        return self._priced(artifact, await self._deployments().put(artifact, sku=tier))

    async def undeploy(self, artifact: str) -> None:
        """Stop serving it."""
        await self._deployments().delete(artifact)

    async def deployment(self, artifact: str) -> Deployment | None:
        """What serves it now."""
        found = await self._deployments().get(artifact)
        return None if found is None else self._priced(artifact, found)

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """The vendor's own answer."""
        try:
            return await self._answering().chat.chat(_asked(model), request)
        except ModelNotFound:
            raise _not_deployed(model) from None
        except Steer as error:
            raise ModelUnavailable(str(error)) from error

    async def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks, without those that only tell of the content filter."""
        try:
            async for chunk in self._answering().chat.chat_stream(_asked(model), request):
                if chunk.get("choices") or chunk.get("usage"):
                    yield chunk
        except ModelNotFound:
            raise _not_deployed(model) from None
        except Steer as error:
            raise ModelUnavailable(str(error)) from error

    async def delete(self, artifact: str) -> None:
        """Stop serving the tuned model, and remove the files that made it.

        The v1 API removes no models: what is left costs nothing, and goes in Azure's portal.
        """
        try:
            if not self._missing_for_deployments():
                await self._deployments().delete(artifact)
            await super().delete(artifact)
        except (Steer, Unclear) as error:
            raise ModelUnavailable(f"The model cannot be removed now: {error}") from error

    async def list_models(self) -> Sequence[ListedModel]:
        """The base models of the resource's list, which has checkpoints of tuned ones too."""
        listed = await super().list_models()
        return [model for model in listed if not base_models.is_checkpoint(model.name)]

    async def close(self) -> None:
        """Let go of connections."""
        await super().close()
        if self._arm is not None:
            await self._arm.close()
            self._arm = None

    def _open(self) -> "WireAccount":
        from app.providers.azure_openai.account import AzureAccount

        return AzureAccount(self._options, self._entra, folder=self._folder)

    def _deployments(self) -> Deployments:
        if self._arm is None:
            readiness.require_packages(self._spec)
            missing = self._missing_for_deployments()
            if missing:
                raise YourTurn(f"Azure can deploy nothing yet: set {', '.join(missing)}.")
            scope = f"{self._options.arm_endpoint.rstrip('/')}/.default"
            self._arm = Deployments(self._options, self._entra.tokens(scope))
        return self._arm

    def _missing_for_deployments(self) -> Sequence[str]:
        wanted = ("subscription_id", "resource_group", "account")
        return readiness.unset(self._name, {one: getattr(self._options, one) for one in wanted})

    def _base_of(self, name: str) -> str | None:
        """The base of a tuned model, which names it; a checkpoint (`ftchkpt-...`) does not."""
        return base_models.base_of_tuned(name)

    def _priced(self, artifact: str, found: Deployment) -> Deployment:
        usual = self._options.deployment_sku.lower()
        # The catalogue was read for the usual class of service; of others no price is known.
        is_usual = found.tier is None or found.tier.lower() == usual
        price = base_models.hosting_price(self._catalogue, artifact) if is_usual else None
        return msgspec.structs.replace(found, usd_per_hour=price)


def _asked(model: Servable) -> str:
    """The deployment that answers; a base model's is expected under the base model's own name."""
    return name_of(model.artifact) if model.artifact else model.base_model


def _not_deployed(model: Servable) -> ModelUnavailable:
    if model.artifact:
        return ModelUnavailable(
            "The tuned model is not deployed at Azure, or not yet: deploy it (which is paid by the "
            "hour), then ask again."
        )
    return ModelUnavailable(
        f"There is no deployment {model.base_model!r} at Azure: deploy the base model under its "
        "own name, then ask again."
    )
