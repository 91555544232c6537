"""The stage of OpenAI."""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from openai import AsyncOpenAI

from app.domain.jobs import Remote
from app.domain.provider import Connection
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai.provider import OpenAIProvider
from app.sandbox.frame.conditions import Pace
from app.sandbox.frame.contract import Contract
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.conformance.simulated_stage import SimulatedStage
from tests.conformance.stage import STILL_OPEN, chats
from tests.contracts import CONTRACTS

KEY = "sk-conformance-secret"

CONTRACT = CONTRACTS / "openai.openapi.json"


class WireStage(SimulatedStage[SimulatedOpenAI]):
    """A vendor that speaks OpenAI's wire, whose jobs move when they are told to."""

    create = ("POST", "/v1/fine_tuning/jobs")
    base_model: str
    secrets: Sequence[str]

    def vendor(self) -> AsyncOpenAI:
        """The vendor's own client, for what a person does there behind our back."""
        return AsyncOpenAI(api_key=self.secrets[0], base_url=self.simulated.url, max_retries=0)

    async def tune_by_hand(self) -> Remote:
        async with self.vendor() as client:
            return await tuned_by_hand(client, self.base_model)

    def say(self, remote: Remote, word: str) -> None:
        self.simulated.change(shown_status={remote.id: word})

    def expire_the_credentials(self) -> None:
        self.simulated.change(expired_keys=set(self.secrets))

    def creations(self, key: str) -> int:
        return self.simulated.creations("luthier_key")[key]

    def writes(self) -> int:
        return sum(seen.method != "GET" for seen in self.simulated.requests)


class OpenAIStage(WireStage):
    """OpenAI."""

    base_model = "gpt-4.1-mini-2025-04-14"
    secrets = (KEY,)

    def __init__(self, simulated: SimulatedOpenAI, folder: Path) -> None:
        self.options = OpenAIOptions.model_validate(
            {"api_key": KEY, "base_url": simulated.url, "timeout_seconds": 10}
        )
        self.simulated = simulated
        self._folder = folder
        self.provider = OpenAIProvider(SPEC, Connection("openai", self.options, str(folder)))

    def connect(self) -> OpenAIProvider:
        connection = Connection("openai", self.options, str(self._folder), STILL_OPEN)
        return OpenAIProvider(SPEC, connection)


async def tuned_by_hand(client: AsyncOpenAI, base_model: str) -> Remote:
    """What a person does with OpenAI's client."""
    lines = b"".join(line + b"\n" for line in chats().lines)
    file = await client.files.create(file=("doubles.jsonl", lines), purpose="fine-tune")
    job = await client.fine_tuning.jobs.create(
        model=base_model, training_file=file.id, suffix="weather"
    )
    return Remote(id=job.id)


@contextmanager
def simulated_openai() -> Generator[SimulatedOpenAI]:
    """The simulator on loopback; what breaks its contract fails the test."""
    contract = Contract.read(CONTRACT) if CONTRACT.exists() else None
    conditions = Conditions(pace=Pace(by="order"))
    with SimulatedOpenAI(contract=contract, conditions=conditions) as simulated:
        yield simulated
    assert simulated.violations == []


@asynccontextmanager
async def openai_stage(folder: Path) -> AsyncGenerator[OpenAIStage]:
    """OpenAI before its simulator."""
    with simulated_openai() as simulated:
        stage = OpenAIStage(simulated, folder)
        yield stage
        await stage.provider.close()
