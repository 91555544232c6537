"""Tuning Gemini models on Vertex AI, which Google now calls Gemini Enterprise Agent Platform."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from app.domain.datasets import DatasetKind
from app.domain.provider import Connection, Operation, Provider, ProviderSpec

PACKAGES = ("google.cloud.aiplatform_v1", "google.cloud.storage", "google.genai")

INSTALL = "pip install 'luthier[vertex]'"


class VertexOptions(BaseModel):
    """Options of the `vertex` provider."""

    model_config = ConfigDict(extra="forbid")

    project: str | None = Field(default_factory=lambda: os.environ.get("GOOGLE_CLOUD_PROJECT"))
    """The Google Cloud project that trains, answers and pays."""

    location: str = Field(
        default_factory=lambda: os.environ.get("GOOGLE_CLOUD_LOCATION", "us-central1")
    )
    """The region of trainings and of what they leave."""

    staging_bucket: str | None = None
    """Where training files are put: `gs://bucket` or `gs://bucket/folder`, in the same region."""

    credentials_file: Path | None = None
    """A service account's key; by default Google's Application Default Credentials."""

    api_endpoint: str | None = None
    """The API's address, when it is not Google's own for the region."""

    storage_endpoint: str | None = None
    """The address of Cloud Storage, when it is not Google's own."""


def _connect(connection: Connection) -> Provider:
    from app.providers.vertex.provider import VertexProvider

    return VertexProvider(SPEC, connection)


SPEC = ProviderSpec(
    kind="vertex",
    title="Google Vertex AI",
    methods={"sft": DatasetKind.CHAT, "dpo": DatasetKind.PREFERENCE},
    operations=frozenset(
        {Operation.CANCEL, Operation.CHECKPOINTS, Operation.DELETE, Operation.IMPORT}
    ),
    options=VertexOptions,
    connect=_connect,
    # A create that was given up may still land within its own timeout, and lists may lag behind.
    settle_seconds=120.0,
    # A gigabyte goes to the bucket before anything is created.
    create_timeout_seconds=1800.0,
    packages=PACKAGES,
    install=INSTALL,
    models_in_memory=True,
)
