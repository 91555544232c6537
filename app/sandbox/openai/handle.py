"""What the handles on OpenAI and on Azure's edition of it share: jobs, and webhooks."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from app.sandbox.frame.handle import Handle
from app.sandbox.frame.operations import Published
from app.sandbox.frame.webhooks import Notice
from app.sandbox.openai.account import Account
from app.sandbox.openai.control import AccountControl
from app.sandbox.openai.job import Job
from app.sandbox.openai.vendor import OpenAIVendor

Kept = TypeVar("Kept", bound=Account)


class OpenAIHandle(Handle[Kept]):
    """A vendor on loopback that keeps files and jobs as OpenAI does."""

    def __init__(
        self, vendor: OpenAIVendor, account: Kept, *, contract: Published | None, port: int
    ) -> None:
        super().__init__(vendor, AccountControl(account), account, contract=contract, port=port)

    @property
    def jobs(self) -> Sequence[Job]:
        """All jobs that were created, and would be paid, the oldest first."""
        return list(self._account.jobs.all.values())

    @property
    def webhooks(self) -> Sequence[Notice]:
        """All webhooks, sent or held."""
        return self._account.outbox.notices

    def creations(self, key: str) -> Counter[str]:
        """How many jobs were created for each value of a metadata key."""
        return self._account.jobs.creations(key)

    def fail(self, job: str, *, code: str = "server_error", message: str = "It failed.") -> None:
        """Let a job fail."""
        self._server.do(lambda: self._account.jobs.fail(job, code, message))

    async def deliver(self, notice: Notice, *, age_seconds: float = 0) -> int | None:
        """Send a webhook, again or for the first time, as if signed some seconds ago.

        Gives the status of the answer, None where nobody answered.
        """
        return await asyncio.to_thread(
            asyncio.run, self._account.deliver(notice, age_seconds=age_seconds)
        )
