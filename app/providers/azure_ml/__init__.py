"""Training in an Azure ML workspace: models of its registries, and by Luthier's own trainer."""

import os

from pydantic import BaseModel, ConfigDict, Field

from app.domain.datasets import DatasetKind
from app.domain.provider import Connection, Operation, Provider, ProviderSpec

PACKAGES = ("azure.ai.ml", "azure.identity", "azure.storage.blob")

INSTALL = "pip install 'luthier[azure]'"


class AzureMLOptions(BaseModel):
    """Options of the `azure_ml` provider; credentials are those of Azure's own default chain."""

    model_config = ConfigDict(extra="forbid")

    subscription_id: str | None = Field(
        default_factory=lambda: os.environ.get("AZURE_SUBSCRIPTION_ID")
    )
    """The subscription that pays."""

    resource_group: str | None = None
    workspace: str | None = None

    compute: str | None = None
    """The name of the workspace's compute cluster that trains."""

    image: str | None = None
    """A container image with `luthier[local]` in it, for base models `luthier/...` alone."""

    arm_endpoint: str | None = None
    """Azure Resource Manager's address, when it is not https://management.azure.com."""

    storage_endpoint: str | None = None
    """The blob storage's address, when it is not Azure's own for the workspace's account."""


def _connect(connection: Connection) -> Provider:
    from app.providers.azure_ml.provider import AzureMLProvider

    return AzureMLProvider(SPEC, connection)


SPEC = ProviderSpec(
    kind="azure_ml",
    title="Azure Machine Learning",
    methods={"sft": DatasetKind.CHAT, "dpo": DatasetKind.PREFERENCE},
    operations=frozenset({Operation.CANCEL, Operation.DELETE, Operation.IMPORT}),
    options=AzureMLOptions,
    connect=_connect,
    # A job's name is ours and stands in the address: to ask for it tells at once.
    settle_seconds=0.0,
    # The files go to the workspace's storage before anything is created.
    create_timeout_seconds=1800.0,
    packages=PACKAGES,
    install=INSTALL,
    models_in_memory=True,
)
