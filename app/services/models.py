"""Models: the tuned ones that are kept here, and any model that can be asked."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from app.domain.errors import (
    BaseModelUnknown,
    ModelInUse,
    ModelNotFound,
    OperationNotSupported,
)
from app.domain.evaluations import Candidate
from app.domain.models import TunedModel
from app.domain.provider import Operation, Provider, Servable
from app.storage import evaluations, jobs, models
from app.storage.database import Database


class Models:
    """What a user does with models.

    Asking is the one use case that waits for a provider; no transaction is open meanwhile.
    """

    def __init__(self, database: Database, providers: Mapping[str, Provider]) -> None:
        self._database = database
        self._providers = providers

    async def get(self, model_id: str) -> TunedModel:
        """The tuned model of that id; raises `ModelNotFound`."""
        async with self._database.read() as connection:
            return await models.get(connection, model_id)

    async def list_page(
        self, *, provider: str | None, before: str | None, limit: int
    ) -> list[TunedModel]:
        """Tuned models, newest first."""
        async with self._database.read() as connection:
            return await models.list_page(connection, provider=provider, before=before, limit=limit)

    async def remove(self, model_id: str) -> None:
        """Remove a tuned model at its provider, then here; raises `ModelInUse`.

        A provider that does not answer leaves the model listed, so that it can be asked again.
        """
        model = await self.get(model_id)
        provider = self._providers.get(model.provider)
        if provider is None or Operation.DELETE not in provider.spec.operations:
            raise OperationNotSupported(f"{model.provider} cannot delete a model.")
        async with self._database.read() as connection:
            user = await evaluations.uses_model(connection, model_id)
            user = user or await jobs.uses_model(connection, model_id)
        if user is not None:
            raise ModelInUse(f"{user} needs this model; wait for its end.")
        await provider.delete(model.artifact)
        async with self._database.write() as connection:
            await models.remove(connection, model_id)

    async def resolve(self, reference: str) -> Candidate:
        """Who is meant by a tuned model's id or `provider/base_model`; raises `ModelNotFound`."""
        if reference.startswith("model_"):
            model = await self.get(reference)
            return Candidate(reference, model.provider, model.base_model, model.id)
        name, _, base_model = reference.partition("/")
        provider = self._providers.get(name)
        if provider is None or not base_model:
            raise ModelNotFound(
                f"There is no model {reference!r}: use a tuned model's id or provider/base_model."
            )
        try:
            base = await asyncio.to_thread(provider.base_model, base_model)
        except BaseModelUnknown as error:
            raise ModelNotFound(error.detail) from error
        return Candidate(reference, name, base.name)

    async def ask(self, reference: str, request: dict[str, Any]) -> dict[str, Any]:
        """One answer in OpenAI's shape."""
        provider, model = await self._answering(reference)
        return await provider.chat(model, request) | {"model": reference}

    async def ask_stream(
        self, reference: str, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """One answer as OpenAI's chunks; an unknown model is refused before the first."""
        provider, model = await self._answering(reference)

        async def chunks() -> AsyncIterator[dict[str, Any]]:
            async for chunk in provider.chat_stream(model, request):
                yield chunk | {"model": reference}

        return chunks()

    async def _answering(self, reference: str) -> tuple[Provider, Servable]:
        who = await self.resolve(reference)
        artifact = (await self.get(who.model_id)).artifact if who.model_id else None
        provider = self._providers.get(who.provider)
        if provider is None:
            raise ModelNotFound(f"{reference} lives at {who.provider}, which is not configured.")
        return provider, Servable(who.base_model, artifact)
