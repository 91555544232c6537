"""Fine-tuning at Azure OpenAI, which is a part of Microsoft Foundry."""

import os
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app.domain.datasets import DatasetKind
from app.domain.provider import Connection, Operation, Provider, ProviderSpec

PACKAGES = ("openai", "aiohttp", "azure.identity")

INSTALL = "pip install 'luthier[azure]'"

_PROJECTS = ".services.ai.azure.com"


class AzureOpenAIOptions(BaseModel):
    """Options of the `azure_openai` provider; endpoint and key fall back to `AZURE_OPENAI_*`."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str | None = Field(default_factory=lambda: os.environ.get("AZURE_OPENAI_ENDPOINT"))
    """The resource's address, such as `https://my-resource.openai.azure.com`."""

    api_key: SecretStr | None = None
    """A key of the resource; by default `AZURE_OPENAI_API_KEY`."""

    credential: Literal["default", "cli", "environment", "managed_identity"] | None = None
    """Sign in to Entra instead of with a key; deployments always do, by `default` if none is set.

    `default` tries what azure-identity knows one after the other, `AZURE_*` variables first.
    """

    api_version: Literal["2024-10-21"] | None = None
    """The dated API instead of the v1 API: supervised tuning only, and a weaker find."""

    training_type: str = "Standard"
    """Where training runs and what it costs: `Standard` (in the region), `GlobalStandard`, ..."""

    arm_endpoint: str = "https://management.azure.com"
    """Azure Resource Manager, which deploys; other clouds have another."""

    subscription_id: str | None = None
    resource_group: str | None = None
    account: str | None = None
    """The resource's name; these three are needed to deploy."""

    deployment_sku: str = "Standard"
    """What deployments are: `Standard`, `GlobalStandard`, or the developer tier's name."""

    deployment_capacity: Annotated[int, Field(ge=1)] = 10
    """The rate limit of a deployment, in thousands of tokens a minute."""

    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 25.0
    """How long one request may take; an upload gets more by its size."""

    chat_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """How long one answer of a model may take."""

    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """How often a running job is looked at."""

    @property
    def key(self) -> str | None:
        """The key to sign in with; None where Entra is signed in to."""
        if self.credential is not None:
            return None
        if self.api_key is not None:
            return self.api_key.get_secret_value()
        return os.environ.get("AZURE_OPENAI_API_KEY") or None

    @property
    def is_project(self) -> bool:
        """Whether the endpoint is a Foundry project, not a resource."""
        return _PROJECTS in (self.endpoint or "")


def spec_of(options: AzureOpenAIOptions) -> ProviderSpec:
    """What one connection offers.

    The dated API knows one method, and no pause. Whether a project lists more than what is
    deployed in it has not been seen, so it is not asked.
    """
    spec = SPEC if options.api_version is None else _DATED
    if not options.is_project:
        return spec
    return msgspec.structs.replace(spec, operations=spec.operations - {Operation.REFRESH})


def _connect(connection: Connection) -> Provider:
    from app.providers.azure_openai.provider import AzureOpenAIProvider

    assert isinstance(connection.options, AzureOpenAIOptions)
    return AzureOpenAIProvider(spec_of(connection.options), connection)


_OPERATIONS = frozenset(
    {Operation.CANCEL, Operation.CHECKPOINTS, Operation.DEPLOY, Operation.DELETE, Operation.REFRESH}
)

SPEC = ProviderSpec(
    kind="azure_openai",
    title="Azure OpenAI",
    methods={
        "sft": DatasetKind.CHAT,
        "dpo": DatasetKind.PREFERENCE,
        "rft": DatasetKind.CHAT,
    },
    operations=_OPERATIONS | {Operation.PAUSE, Operation.RESUME, Operation.IMPORT},
    options=AzureOpenAIOptions,
    connect=_connect,
    # Since the intent: 5 s to prepare, 30 s for the create, then what lands and is listed late.
    settle_seconds=120.0,
    # Compiling and uploading half a gigabyte comes before the create.
    create_timeout_seconds=3600.0,
    packages=PACKAGES,
    install=INSTALL,
    models_in_memory=True,
)

_DATED = msgspec.structs.replace(SPEC, methods={"sft": DatasetKind.CHAT}, operations=_OPERATIONS)
