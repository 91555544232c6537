"""The handle on one simulator of OpenAI: start it, order faults, ask what it saw."""

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.operations import Published
from app.sandbox.openai.account import Account
from app.sandbox.openai.conditions import Conditions
from app.sandbox.openai.handle import OpenAIHandle
from app.sandbox.openai.vendor import OpenAIVendor


class SimulatedOpenAI(OpenAIHandle[Account]):
    """OpenAI on loopback."""

    def __init__(
        self,
        *,
        port: int = 0,
        contract: Published | None = None,
        clock: Clock | None = None,
        conditions: Conditions | None = None,
    ) -> None:
        account = Account(conditions or Conditions(), clock or Clock())
        super().__init__(OpenAIVendor(account), account, contract=contract, port=port)

    @property
    def conditions(self) -> Conditions:
        """The world that it is in."""
        return self._account.conditions
