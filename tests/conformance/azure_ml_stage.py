"""The stage of Azure ML."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from app.domain.jobs import Remote
from app.domain.provider import Connection
from app.providers.azure_ml import SPEC, AzureMLOptions
from app.providers.azure_ml.provider import AzureMLProvider
from app.sandbox.azure_ml.conditions import Conditions, Pace
from app.sandbox.azure_ml.contract import AzureMLContract
from app.sandbox.azure_ml.simulator import SimulatedAzureML
from app.sandbox.frame.faults import Failure, Reset, too_many_requests

CONTRACTS = Path(__file__).parents[3] / "shared" / "contracts"

TOKEN = "loopback"

_JOBS = "/subscriptions/*/jobs/*"


class AzureMLStage:
    """A workspace, whose jobs move when they are told to."""

    base_model = "azureml://registries/azureml-meta/models/Meta-Llama-3-8B/versions/8"
    secrets = (f"Bearer {TOKEN}",)

    def __init__(self, simulated: SimulatedAzureML, folder: Path) -> None:
        self.options = AzureMLOptions.model_validate(
            {
                "subscription_id": "sub",
                "resource_group": "group",
                "workspace": "space",
                "compute": "cluster",
                "arm_endpoint": simulated.url,
                "storage_endpoint": simulated.storage_url,
            }
        )
        self.simulated = simulated
        provider = SPEC.connect(Connection("azure_ml", self.options, str(folder)))
        assert isinstance(provider, AzureMLProvider)
        self.provider = provider

    def begin(self, remote: Remote) -> None:
        self.simulated.advance(3, job=remote.id)

    def finish(self, remote: Remote) -> None:
        self.simulated.advance(9, job=remote.id)

    def fail(self, remote: Remote) -> None:
        self.simulated.fail(remote.id)

    def say(self, remote: Remote, word: str) -> None:
        self.simulated.change(shown_status={remote.id: word})

    def lose_the_next_create(self) -> None:
        self.simulated.order(Reset(during="effect"), _JOBS, method="PUT")

    def break_the_next_create(self) -> None:
        self.simulated.order(Failure(status=500), _JOBS, method="PUT")

    def be_busy(self, seconds: float) -> None:
        self.simulated.order(too_many_requests(seconds=seconds), _JOBS, method="PUT")

    def expire_the_credentials(self) -> None:
        self.simulated.change(expired_tokens={TOKEN})

    def go_away(self) -> None:
        self.simulated.stop()

    def creations(self, key: str) -> int:
        return self.simulated.creations[key]

    def writes(self) -> int:
        return sum(seen.method not in ("GET", "HEAD") for seen in self.simulated.requests)


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
