"""The stage of Vertex AI."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google import genai
from google.genai import types
from google.genai.client import AsyncClient
from google.oauth2.credentials import Credentials

from app.domain.jobs import Remote
from app.domain.provider import Connection, Provider
from app.providers.vertex import SPEC, VertexOptions
from app.providers.vertex.plans import LABEL
from app.sandbox.frame.conditions import Pace
from app.sandbox.vertex.conditions import Conditions
from app.sandbox.vertex.contract import GoogleContract
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.conformance.simulated_stage import SimulatedStage
from tests.conformance.stage import EXAMPLES, STILL_OPEN, answer, question
from tests.contracts import CONTRACTS

PROJECT, LOCATION, BUCKET = "luthier-test", "us-central1", "staging"

_READS = ("GET", "HEAD")


class VertexStage(SimulatedStage[SimulatedVertex]):
    """Vertex AI with a service account's key, whose jobs move when they are told to."""

    create = ("POST", "/v1/projects/*/tuningJobs")
    base_model = "gemini-3.5-flash-lite"

    def __init__(self, simulated: SimulatedVertex, folder: Path) -> None:
        key = _private_key()
        self._key = key
        self.simulated = simulated
        self.options = VertexOptions(
            project=PROJECT,
            location=LOCATION,
            staging_bucket=f"gs://{BUCKET}",
            api_endpoint=simulated.url,
            storage_endpoint=simulated.url,
            credentials_file=_credentials(folder, key, simulated.url),
        )
        self._folder = folder
        self.provider = self.connect()

    def connect(self) -> Provider:
        return SPEC.connect(Connection("vertex", self.options, str(self._folder), STILL_OPEN))

    async def tune_by_hand(self) -> Remote:
        address = f"gs://{BUCKET}/uploads/doubles.jsonl"
        lines = b"".join(_line(number) for number in range(EXAMPLES))
        self.simulated.put(BUCKET, "uploads/doubles.jsonl", lines)
        async with _person(self.simulated.url) as client:
            job = await client.tunings.tune(
                base_model=self.base_model,
                training_dataset=types.TuningDataset(gcs_uri=address),
                config=types.CreateTuningJobConfig(
                    epoch_count=2, tuned_model_display_name="weather"
                ),
            )
        return Remote(id=str(job.name))

    @property
    def secrets(self) -> Sequence[str]:
        return [self._key, self._key.splitlines()[1], *self.simulated.tokens]

    def say(self, remote: Remote, word: str) -> None:
        self.simulated.change(shown_state={remote.id: word})

    def expire_the_credentials(self) -> None:
        self.simulated.change(expired_tokens={"*"})

    def creations(self, key: str) -> int:
        return self.simulated.creations(LABEL)[key]

    def writes(self) -> int:
        asked = [seen for seen in self.simulated.requests if seen.path != "/token"]
        return sum(seen.method not in _READS for seen in asked)


@asynccontextmanager
async def vertex_stage(folder: Path) -> AsyncGenerator[VertexStage]:
    """Google on loopback; what breaks its contract fails the test."""
    contract = GoogleContract.read_all(CONTRACTS) if CONTRACTS.exists() else None
    conditions = Conditions(pace=Pace(by="order"))
    with SimulatedVertex(contract=contract, conditions=conditions) as simulated:
        stage = VertexStage(simulated, folder)
        yield stage
        await stage.provider.close()
    assert simulated.violations == []


def _person(url: str) -> AsyncClient:
    """Google's newer client, with somebody else's token."""
    return genai.Client(
        vertexai=True,
        project=PROJECT,
        location=LOCATION,
        credentials=Credentials("person"),  # pyright: ignore[reportNoUntypedCall]
        http_options=types.HttpOptions(base_url=url, api_version="v1"),
    ).aio


def _line(number: int) -> bytes:
    """A row as Google takes it."""
    said = [("user", question(number)["content"]), ("model", answer(number))]
    turns = [{"role": role, "parts": [{"text": text}]} for role, text in said]
    return json.dumps({"contents": turns}).encode() + b"\n"


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _credentials(folder: Path, key: str, url: str) -> Path:
    """A service account's file, as Google's console gives it out."""
    path = folder / "account.json"
    account = {
        "type": "service_account",
        "project_id": "luthier-test",
        "private_key_id": "1",
        "private_key": key,
        "client_email": "luthier@luthier-test.iam.gserviceaccount.com",
        "token_uri": f"{url}/token",
    }
    path.write_text(json.dumps(account))
    return path
