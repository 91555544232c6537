"""Fine-tuning at OpenAI."""

import os
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app.domain.datasets import DatasetKind
from app.domain.provider import Connection, Operation, Provider, ProviderSpec

PACKAGES = ("openai", "aiohttp")

INSTALL = "pip install 'luthier[openai]'"


class OpenAIOptions(BaseModel):
    """Options of the `openai` provider; unset ones fall back to the vendor's `OPENAI_*`."""

    model_config = ConfigDict(extra="forbid")

    api_key: SecretStr | None = None
    """The key of a project that may fine-tune; by default `OPENAI_API_KEY`."""

    base_url: str | None = None
    """Another address of the same API; by default `OPENAI_BASE_URL` or OpenAI's own."""

    organization: str | None = None
    project: str | None = None

    webhook_secret: SecretStr | None = None
    """What OpenAI signs webhooks with (`whsec_...`); by default `OPENAI_WEBHOOK_SECRET`."""

    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 25.0
    """How long one request may take; an upload gets more by its size."""

    chat_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """How long one answer of a model may take."""

    poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 15.0
    """How often a running job is looked at; webhooks make it sooner."""

    def secret(self, name: str) -> str | None:
        """`api_key` or `webhook_secret`, or what the vendor's own variable holds."""
        given: SecretStr | None = getattr(self, name)
        if given is not None:
            return given.get_secret_value()
        return os.environ.get(f"OPENAI_{name.upper()}") or None


def _connect(connection: Connection) -> Provider:
    from app.providers.openai.provider import OpenAIProvider

    return OpenAIProvider(SPEC, connection)


SPEC = ProviderSpec(
    kind="openai",
    title="OpenAI",
    methods={
        "sft": DatasetKind.CHAT,
        "dpo": DatasetKind.PREFERENCE,
        "rft": DatasetKind.CHAT,
    },
    operations=frozenset(
        {
            Operation.CANCEL,
            Operation.PAUSE,
            Operation.RESUME,
            Operation.CHECKPOINTS,
            Operation.DELETE,
            Operation.REFRESH,
            Operation.IMPORT,
        }
    ),
    options=OpenAIOptions,
    connect=_connect,
    # Since the intent: 5 s to prepare, 30 s for the create, then what lands and is listed late.
    settle_seconds=120.0,
    # Compiling and uploading gigabytes comes before the create, which has a limit of its own.
    create_timeout_seconds=3600.0,
    packages=PACKAGES,
    install=INSTALL,
    models_in_memory=True,
)
