"""Fine-tuning at any host that speaks OpenAI's wire under an address of its own."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app.domain.datasets import DatasetKind
from app.domain.provider import Connection, Operation, Provider, ProviderSpec


class Capabilities(BaseModel):
    """What the host can do; nobody can be asked for it."""

    model_config = ConfigDict(extra="forbid")

    metadata_filter: bool = False
    """Whether the list of jobs takes `metadata[key]=value`; where not, all jobs are read."""

    pause: bool = False
    """Whether a job can be paused and resumed."""

    checkpoints: bool = False
    """Whether a job's checkpoints can be listed."""

    model_list: bool = False
    """Whether `GET /models` names every base model that can be tuned."""

    webhooks: bool = False
    """Whether the host sends signed webhooks as OpenAI does."""

    base_models: list[dict[str, Any]] = []
    """What can be tuned, each in the shape of the catalogue: name, methods, context_length,
    limits, hyperparameters, prices, dates."""


class OpenAICompatibleOptions(BaseModel):
    """Options of the `openai_compatible` provider."""

    model_config = ConfigDict(extra="forbid")

    base_url: Annotated[str, Field(pattern="^https?://[^/?#]+")] | None = None
    """The address under which the host has `/fine_tuning/jobs`, `/files` and the rest."""

    api_key: SecretStr | None = None
    """What the host takes as `Authorization: Bearer`."""

    webhook_secret: SecretStr | None = None
    """What the host signs webhooks with (`whsec_...`)."""

    capabilities: Capabilities = Capabilities()

    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 25.0
    """How long one request may take; an upload gets more by its size."""

    chat_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """How long one answer of a model may take."""

    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 15.0
    """How often a running job is looked at; webhooks make it sooner."""


def _connect(connection: Connection) -> Provider:
    from app.providers.openai_compatible.provider import OpenAICompatibleProvider

    return OpenAICompatibleProvider(SPEC, connection)


SPEC = ProviderSpec(
    kind="openai_compatible",
    title="OpenAI-compatible host",
    methods={
        "sft": DatasetKind.CHAT,
        "dpo": DatasetKind.PREFERENCE,
        "rft": DatasetKind.CHAT,
    },
    # Pausing and checkpoints are added by each connection whose host has them.
    operations=frozenset({Operation.CANCEL, Operation.DELETE, Operation.IMPORT}),
    options=OpenAICompatibleOptions,
    connect=_connect,
    # Since the intent: 5 s to prepare, 30 s for the create, then what lands and is listed late.
    settle_seconds=120.0,
    # Compiling and uploading gigabytes comes before the create, which has a limit of its own.
    create_timeout_seconds=3600.0,
    packages=("openai", "aiohttp"),
    install="pip install 'luthier[openai]'",
    models_in_memory=True,
)
