"""The stage of Vertex AI."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.domain.jobs import Remote
from app.domain.provider import Connection
from app.providers.vertex import SPEC, VertexOptions
from app.providers.vertex.plans import LABEL
from app.sandbox.frame.faults import Failure, Reset, too_many_requests
from app.sandbox.vertex.conditions import Conditions, Pace
from app.sandbox.vertex.contract import GoogleContract
from app.sandbox.vertex.simulator import SimulatedVertex

CONTRACTS = Path(__file__).parents[3] / "shared" / "contracts"

_JOBS = "/v1/projects/*/tuningJobs"
_READS = ("GET", "HEAD")
_LEGS = 4
"""Beats from the queue into the training, or a part of it further."""


class VertexStage:
    """Vertex AI with a service account's key, whose jobs move when they are told to."""

    base_model = "gemini-3.5-flash-lite"

    def __init__(self, simulated: SimulatedVertex, folder: Path) -> None:
        key = _private_key()
        self._key = key
        self.simulated = simulated
        self.options = VertexOptions(
            project="luthier-test",
            location="us-central1",
            staging_bucket="gs://staging",
            api_endpoint=simulated.url,
            storage_endpoint=simulated.url,
            credentials_file=_credentials(folder, key, simulated.url),
        )
        self.provider = SPEC.connect(Connection("vertex", self.options, str(folder)))

    @property
    def secrets(self) -> Sequence[str]:
        return [self._key, self._key.splitlines()[1], *self.simulated.tokens]

    def begin(self, remote: Remote) -> None:
        self.simulated.advance(_LEGS // 2, job=remote.id)

    def finish(self, remote: Remote) -> None:
        self.simulated.advance(_LEGS * 2, job=remote.id)

    def fail(self, remote: Remote) -> None:
        self.simulated.fail(remote.id, message="It failed.")

    def say(self, remote: Remote, word: str) -> None:
        self.simulated.change(shown_state={remote.id: word})

    def lose_the_next_create(self) -> None:
        self.simulated.order(Reset(during="effect"), _JOBS, method="POST")

    def break_the_next_create(self) -> None:
        self.simulated.order(Failure(status=500), _JOBS, method="POST")

    def be_busy(self, seconds: float) -> None:
        self.simulated.order(too_many_requests(seconds=seconds), _JOBS, method="POST")

    def expire_the_credentials(self) -> None:
        self.simulated.change(expired_tokens={"*"})

    def go_away(self) -> None:
        self.simulated.stop()

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
