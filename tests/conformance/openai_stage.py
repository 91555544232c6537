"""The stage of OpenAI."""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from openai import AsyncOpenAI

from app.domain.jobs import Remote
from app.domain.provider import Connection
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai.provider import OpenAIProvider
from app.sandbox.frame.contract import Contract
from app.sandbox.frame.faults import Failure, Reset, too_many_requests
from app.sandbox.openai.conditions import Conditions, Pace
from app.sandbox.openai.simulator import SimulatedOpenAI

KEY = "sk-conformance-secret"

CONTRACT = Path(__file__).parents[3] / "shared" / "contracts" / "openai.openapi.json"

_JOBS = "/v1/fine_tuning/jobs"


class WireStage:
    """A vendor that speaks OpenAI's wire, whose jobs move when they are told to."""

    simulated: SimulatedOpenAI
    secrets: Sequence[str]

    def begin(self, remote: Remote) -> None:
        self.simulated.advance(3, job=remote.id)

    def finish(self, remote: Remote) -> None:
        self.simulated.advance(9, job=remote.id)

    def fail(self, remote: Remote) -> None:
        self.simulated.fail(remote.id)

    def say(self, remote: Remote, word: str) -> None:
        self.simulated.change(shown_status={remote.id: word})

    def lose_the_next_create(self) -> None:
        self.simulated.order(Reset(during="effect"), _JOBS, method="POST")

    def break_the_next_create(self) -> None:
        self.simulated.order(Failure(status=500), _JOBS, method="POST")

    def be_busy(self, seconds: float) -> None:
        self.simulated.order(too_many_requests(seconds=seconds), _JOBS, method="POST")

    def expire_the_credentials(self) -> None:
        self.simulated.change(expired_keys=set(self.secrets))

    def go_away(self) -> None:
        self.simulated.stop()

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
        self.provider = OpenAIProvider(SPEC, Connection("openai", self.options, str(folder)))

    def vendor(self) -> AsyncOpenAI:
        """The vendor's own client, for what a person does there behind our back."""
        return AsyncOpenAI(api_key=KEY, base_url=self.simulated.url, max_retries=0)


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
