"""The stages of Azure OpenAI: the v1 API and the dated one."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from app.domain.jobs import Remote
from app.domain.provider import Connection
from app.providers.azure_openai import AzureOpenAIOptions, spec_of
from app.providers.azure_openai.provider import AzureOpenAIProvider
from app.sandbox.azure_openai.conditions import AzureConditions
from app.sandbox.azure_openai.contract import AzureContract
from app.sandbox.azure_openai.simulator import SimulatedAzureOpenAI
from app.sandbox.frame.conditions import Pace
from tests.conformance.openai_stage import tuned_by_hand
from tests.conformance.simulated_stage import SimulatedStage
from tests.conformance.stage import STILL_OPEN
from tests.contracts import CONTRACTS

KEY = "azure-conformance-key"
TOKEN = "azure-conformance-token"

JOBS = "*/fine_tuning/jobs"


@dataclass(frozen=True)
class FixedToken:
    """A token that is good for an hour."""

    token: str
    expires_on: int = field(default_factory=lambda: int(time.time()) + 3600)


@dataclass
class Signed:
    """Whoever is signed in to Entra, and for what tokens were wanted."""

    scopes: list[str] = field(default_factory=list[str])

    def get_token(self, *scopes: str) -> FixedToken:
        self.scopes += scopes
        return FixedToken(TOKEN)


class AzureOpenAIStage(SimulatedStage[SimulatedAzureOpenAI]):
    """Azure OpenAI, whose jobs move when they are told to."""

    create = ("POST", JOBS)
    base_model = "gpt-4.1-mini-2025-04-14"
    secrets = (KEY, TOKEN)

    def __init__(self, simulated: SimulatedAzureOpenAI, folder: Path, **options: Any) -> None:
        given: dict[str, Any] = {
            "endpoint": simulated.url,
            "api_key": KEY,
            "arm_endpoint": simulated.url,
            "subscription_id": "5ub5cr1p-t10n",
            "resource_group": "tuning",
            "account": "conformance",
            "timeout_seconds": 10,
        }
        self.options = AzureOpenAIOptions.model_validate(given | options)
        self.simulated = simulated
        self.signed = Signed()
        self._folder = folder
        connection = Connection("azure_openai", self.options, str(folder))
        self.provider = AzureOpenAIProvider(spec_of(self.options), connection, self.signed)

    def connect(self) -> AzureOpenAIProvider:
        connection = Connection("azure_openai", self.options, str(self._folder), STILL_OPEN)
        return AzureOpenAIProvider(spec_of(self.options), connection, self.signed)

    async def tune_by_hand(self) -> Remote:
        url = f"{self.simulated.url}/openai/v1/"
        headers = {"api-key": KEY}
        async with AsyncOpenAI(
            api_key=KEY, base_url=url, default_headers=headers, max_retries=0
        ) as client:
            return await tuned_by_hand(client, self.base_model)

    def say(self, remote: Remote, word: str) -> None:
        self.simulated.change(shown_status={remote.id: word})

    def expire_the_credentials(self) -> None:
        self.simulated.change(expired_keys={KEY, TOKEN})

    def creations(self, key: str) -> int:
        if self.options.api_version:
            return sum(job.suffix == f"lt-{key}" for job in self.simulated.jobs)
        return self.simulated.creations("luthier_key")[key]

    def writes(self) -> int:
        return sum(seen.method != "GET" for seen in self.simulated.requests)


@asynccontextmanager
async def azure_openai_stage(folder: Path, **options: Any) -> AsyncGenerator[AzureOpenAIStage]:
    """Azure OpenAI on loopback; what breaks its contract fails the test."""
    contract = AzureContract(CONTRACTS) if CONTRACTS.exists() else None
    conditions = AzureConditions(pace=Pace(by="order"))
    with SimulatedAzureOpenAI(contract=contract, conditions=conditions) as simulated:
        stage = AzureOpenAIStage(simulated, folder, **options)
        yield stage
        await stage.provider.close()
    assert simulated.violations == []


@asynccontextmanager
async def dated_stage(folder: Path) -> AsyncGenerator[AzureOpenAIStage]:
    """The same over the dated API."""
    async with azure_openai_stage(folder, api_version="2024-10-21") as stage:
        yield stage
