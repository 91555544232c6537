"""The stage of Azure ML."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.entities import Data
from azure.ai.ml.finetuning import create_finetuning_job
from azure.core.credentials import AccessToken

from app.domain.jobs import Remote
from app.domain.provider import Connection
from app.providers.azure_ml import SPEC, AzureMLOptions
from app.providers.azure_ml.provider import AzureMLProvider
from app.providers.azure_ml.rerouting import ARM, ReroutedTransport
from app.sandbox.azure_ml.conditions import Conditions
from app.sandbox.azure_ml.contract import AzureMLContract
from app.sandbox.azure_ml.simulator import SimulatedAzureML
from app.sandbox.frame.conditions import Pace
from tests.conformance.simulated_stage import SimulatedStage
from tests.conformance.stage import STILL_OPEN, chats
from tests.contracts import CONTRACTS

TOKEN = "loopback"

SCOPE = (
    "/subscriptions/sub/resourceGroups/group"
    "/providers/Microsoft.MachineLearningServices/workspaces/space"
)


class AzureMLStage(SimulatedStage[SimulatedAzureML]):
    """A workspace, whose jobs move when they are told to."""

    create = ("PUT", "/subscriptions/*/jobs/*")
    base_model = "azureml://registries/azureml-meta/models/Meta-Llama-3-8B/versions/8"
    secrets = (f"Bearer {TOKEN}",)

    def __init__(self, simulated: SimulatedAzureML, folder: Path) -> None:
        self.options = AzureMLOptions.model_validate(
            {
                "subscription_id": "sub",
                "resource_group": "group",
                "workspace": "space",
                "compute": "cluster",
                "image": "registry.example/luthier:1",
                "arm_endpoint": simulated.url,
                "storage_endpoint": simulated.storage_url,
            }
        )
        self.simulated = simulated
        self._folder = folder
        self.provider = self.connect()

    def connect(self) -> AzureMLProvider:
        connection = Connection("azure_ml", self.options, str(self._folder), STILL_OPEN)
        return AzureMLProvider(SPEC, connection)

    def say(self, remote: Remote, word: str) -> None:
        self.simulated.change(shown_status={remote.id: word})

    async def tune_by_hand(self) -> Remote:
        return await asyncio.to_thread(self._tune_by_hand)

    def expire_the_credentials(self) -> None:
        self.simulated.change(expired_tokens={TOKEN})

    def creations(self, key: str) -> int:
        return self.simulated.creations[key]

    def writes(self) -> int:
        return sum(seen.method not in ("GET", "HEAD") for seen in self.simulated.requests)

    def _tune_by_hand(self) -> Remote:
        """A data asset, and a fine-tuning job that names its model as it likes."""
        client = MLClient(
            _Person(),
            "sub",
            "group",
            "space",
            transport=ReroutedTransport({ARM: self.simulated.url}),
        )
        lines = b"".join(line + b"\n" for line in chats().lines)
        self.simulated.write("uploads/doubles.jsonl", lines)
        path = "azureml://datastores/workspaceblobstore/paths/uploads/doubles.jsonl"
        client.data.create_or_update(Data(name="doubles", version="1", path=path, type="uri_file"))
        job = create_finetuning_job(
            model=self.base_model,
            task="ChatCompletion",
            training_data="azureml:doubles:1",
            # Without any the SDK breaks.
            validation_data="azureml:doubles:1",
            hyperparameters={"num_train_epochs": "2"},
            output_model_name_prefix="weather",
            compute=f"{SCOPE}/computes/cluster",
            name="by-hand",
        )
        return Remote(id=str(client.jobs.create_or_update(job).name))


class _Person:
    """Somebody else who is signed in."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("person", int(time.time()) + 3600)


@asynccontextmanager
async def azure_ml_stage(folder: Path) -> AsyncGenerator[AzureMLStage]:
    """Azure ML on loopback; what breaks its contract fails the test."""
    contract = AzureMLContract.read_all(CONTRACTS) if CONTRACTS.exists() else None
    conditions = Conditions(pace=Pace(by="order"))
    with SimulatedAzureML(contract=contract, conditions=conditions) as simulated:
        stage = AzureMLStage(simulated, folder)
        yield stage
        await stage.provider.close()
    assert simulated.violations == []
