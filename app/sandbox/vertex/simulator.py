"""The handle on one simulator of Vertex AI: start it, order faults, ask what it saw."""

from collections import Counter
from collections.abc import Sequence

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.handle import Handle
from app.sandbox.frame.operations import Published
from app.sandbox.vertex.account import Account
from app.sandbox.vertex.conditions import Conditions
from app.sandbox.vertex.control import AccountControl
from app.sandbox.vertex.job import Job
from app.sandbox.vertex.vendor import GoogleVendor


class SimulatedVertex(Handle[Account]):
    """Vertex AI and Cloud Storage at one address on loopback."""

    def __init__(
        self,
        *,
        port: int = 0,
        contract: Published | None = None,
        clock: Clock | None = None,
        conditions: Conditions | None = None,
    ) -> None:
        account = Account(conditions or Conditions(), clock or Clock())
        vendor, control = GoogleVendor(account), AccountControl(account)
        super().__init__(vendor, control, account, contract=contract, port=port)

    @property
    def jobs(self) -> Sequence[Job]:
        """All jobs that were created, and would be paid, the oldest first."""
        return list(self._account.jobs.all.values())

    @property
    def objects(self) -> Sequence[str]:
        """The `gs://` addresses of all objects."""
        return [f"gs://{bucket}/{name}" for bucket, name in self._account.storage.objects]

    @property
    def writes(self) -> int:
        """How often an object was written."""
        return self._account.storage.writes

    @property
    def models(self) -> Sequence[str]:
        """The names of all tuned models."""
        return list(self._account.registry.models)

    @property
    def endpoints(self) -> Sequence[str]:
        """The names of all endpoints."""
        return list(self._account.registry.endpoints)

    @property
    def tokens(self) -> Sequence[str]:
        """All access tokens that were given out."""
        return self._account.tokens.granted

    def read(self, address: str) -> bytes | None:
        """The bytes of an object by its `gs://` address."""
        return self._account.storage.read(address)

    def put(self, bucket: str, name: str, content: bytes) -> None:
        """Replace the bytes of an object behind everybody's back."""
        self._account.storage.put(bucket, name, content)

    def creations(self, label: str) -> Counter[str]:
        """How many jobs were created for each value of a label."""
        return self._account.jobs.creations(label)

    def fail(self, job: str, *, message: str = "Internal error.") -> None:
        """Let a job fail."""
        self._server.do(lambda: self._account.jobs.fail(job, message))
