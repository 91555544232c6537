"""The handle on one simulated workspace: start it, order faults, ask what it saw."""

from collections import Counter
from collections.abc import Sequence

from app.sandbox.azure_ml.account import Account
from app.sandbox.azure_ml.conditions import Conditions
from app.sandbox.azure_ml.control import AccountControl
from app.sandbox.azure_ml.job import Job
from app.sandbox.azure_ml.vendor import AzureMLVendor
from app.sandbox.frame.clock import Clock
from app.sandbox.frame.handle import Handle
from app.sandbox.frame.operations import Published


class SimulatedAzureML(Handle[Account]):
    """A workspace on loopback: Azure Resource Manager, the run history, and blob storage."""

    def __init__(
        self,
        *,
        port: int = 0,
        contract: Published | None = None,
        clock: Clock | None = None,
        conditions: Conditions | None = None,
    ) -> None:
        account = Account(conditions or Conditions(), clock or Clock())
        vendor, control = AzureMLVendor(account), AccountControl(account)
        super().__init__(vendor, control, account, contract=contract, port=port)

    @property
    def storage_url(self) -> str:
        """The blob storage's address."""
        return f"{self.url}/blobs"

    @property
    def jobs(self) -> Sequence[Job]:
        """All jobs, the oldest first."""
        return list(self._account.jobs.all.values())

    @property
    def models(self) -> Sequence[tuple[str, str]]:
        """Name and version of every registered model."""
        return list(self._account.models.all)

    @property
    def blobs(self) -> dict[str, bytes]:
        """What lies in the workspace's container, by path."""
        return {path: blob.content for path, blob in self._account.storage.blobs.items()}

    @property
    def creations(self) -> Counter[str]:
        """How often a job was created under each name."""
        return self._account.jobs.creations

    def fail(self, job: str, *, message: str = "It failed.") -> None:
        """Let a job fail."""
        self._server.do(lambda: self._account.jobs.fail(job, message))

    def write(self, path: str, content: bytes) -> None:
        """Write a blob as a job's container would."""
        self._server.do(lambda: self._account.storage.store(path, content))
