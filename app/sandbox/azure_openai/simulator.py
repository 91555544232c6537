"""The handle on one simulator of Azure OpenAI: start it, order faults, ask what it saw."""

from collections.abc import Sequence

from app.sandbox.azure_openai.account import AzureAccount
from app.sandbox.azure_openai.conditions import AzureConditions
from app.sandbox.azure_openai.vendor import AzureVendor
from app.sandbox.frame.clock import Clock
from app.sandbox.frame.operations import Published
from app.sandbox.openai.handle import OpenAIHandle


class SimulatedAzureOpenAI(OpenAIHandle[AzureAccount]):
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
        account = AzureAccount(conditions or AzureConditions(), clock or Clock())
        super().__init__(AzureVendor(account), account, contract=contract, port=port)

    @property
    def deployments(self) -> Sequence[str]:
        """The names of all that is deployed, and would be paid by the hour."""
        return list(self._account.deployments.all)
