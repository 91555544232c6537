"""Webhooks: a vendor's word that a job has news, which only makes us look sooner."""

from collections.abc import Mapping

from app.domain.errors import OperationNotSupported
from app.domain.provider import Listening, Provider
from app.services import recipes
from app.storage import jobs
from app.storage.database import Database
from app.storage.signals import WORK_DUE, Signals
from app.storage.tenancy import as_service


class Webhooks:
    """What a vendor does."""

    def __init__(
        self, database: Database, providers: Mapping[str, Provider], signals: Signals
    ) -> None:
        self._database = database
        self._providers = providers
        self._signals = signals

    async def take(self, name: str, headers: Mapping[str, str], body: bytes) -> None:
        """Let the job that a signed message is about be looked at now.

        What the message says of the job is not believed. Raises `Unauthorized` for one that the
        vendor did not sign; a message about a job that is not ours is taken and forgotten.
        """
        provider = recipes.named(self._providers, name)
        if not isinstance(provider, Listening):
            raise OperationNotSupported(f"{provider.spec.title} sends no webhooks.")
        remote_id = provider.webhook(headers, body)
        if remote_id is None:
            return
        with as_service():
            async with self._database.write() as connection:
                await jobs.make_due_at(connection, name, remote_id)
        self._signals.send(WORK_DUE)
