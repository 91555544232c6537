"""The handle on one simulator of Azure OpenAI: start it, order faults, ask what it saw."""

from collections.abc import Sequence

from app.sandbox.azure_openai.account import AzureAccount
from app.sandbox.azure_openai.conditions import AzureConditions
from app.sandbox.azure_openai.vendor import AzureVendor
from app.sandbox.frame.clock import Clock
from app.sandbox.frame.operations import Published
from app.sandbox.frame.serving import HOST
from app.sandbox.openai.simulator import SimulatedOpenAI


class SimulatedAzureOpenAI(SimulatedOpenAI):
    """Azure OpenAI and Azure Resource Manager at one address on loopback.

    Deployments look made at the first look, unless the conditions say otherwise.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        contract: Published | None = None,
        clock: Clock | None = None,
        conditions: AzureConditions | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.conditions = conditions or AzureConditions()
        self._account = self._azure = AzureAccount(self.conditions, self.clock)
        self._open(AzureVendor(self._azure), contract, port)

    @property
    def url(self) -> str:
        """The endpoint of the resource, and of Resource Manager, known once it has started."""
        return f"http://{HOST}:{self._server.port}"

    @property
    def deployments(self) -> Sequence[str]:
        """The names of all that is deployed, and would be paid by the hour."""
        return list(self._azure.deployments.all)
