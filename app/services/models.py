"""Models: the tuned ones that are kept here, and any model that can be asked."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from app.domain.aliases import Alias
from app.domain.answer_costs import Rates, rates_of
from app.domain.errors import (
    BaseModelUnknown,
    ModelInUse,
    ModelNotFound,
    OperationNotSupported,
)
from app.domain.evaluations import Candidate
from app.domain.hosting import HostingState
from app.domain.models import TunedModel
from app.domain.provider import Deploying, Operation, Provider, Servable
from app.services.offers import answering
from app.storage import aliases, evaluations, hosting, jobs, models
from app.storage.database import Database
from app.telemetry.calls import vendor_call

NOTE_SECONDS = 60.0
"""How exactly it is known when a deployed model was asked last."""


class Models:
    """What a user does with models.

    Asking waits for a provider; no transaction is open meanwhile.
    """

    def __init__(self, database: Database, providers: Mapping[str, Provider]) -> None:
        self._database = database
        self._providers = providers
        self._noted: dict[str, float] = {}

    async def get(self, reference: str) -> TunedModel:
        """The tuned model of that id, or that an alias points to; raises `ModelNotFound`."""
        alias = await self._alias(reference)
        if alias is not None and alias.target.model_id is None:
            raise ModelNotFound(f"{reference} points to the base model {alias.target.name}.")
        model_id = alias.target.model_id if alias and alias.target.model_id else reference
        async with self._database.read() as connection:
            return await models.get(connection, model_id)

    async def list_page(
        self, *, provider: str | None, before: str | None, limit: int
    ) -> list[TunedModel]:
        """Tuned models, newest first."""
        async with self._database.read() as connection:
            return await models.list_page(connection, provider=provider, before=before, limit=limit)

    async def remove(self, reference: str) -> None:
        """Remove a tuned model at its provider, then here; raises `ModelInUse`.

        A provider that does not answer leaves the model listed, so that it can be asked again.
        """
        model = await self.get(reference)
        provider = self._providers.get(model.provider)
        if provider is None or Operation.DELETE not in provider.spec.operations:
            raise OperationNotSupported(f"{model.provider} cannot delete a model.")
        async with self._database.read() as connection:
            alias = await aliases.uses_model(connection, model.id)
            user = await evaluations.uses_model(connection, model.id)
            user = user or await jobs.uses_model(connection, model.id)
            hosted = (await hosting.find_many(connection, [model.id])).get(model.id)
        if hosted is not None and hosted.state is not HostingState.REMOVED:
            raise ModelInUse("This model is deployed; undeploy it first.")
        if alias is not None:
            raise ModelInUse(f"The alias {alias} points to this model; point it elsewhere first.")
        if user is not None:
            raise ModelInUse(f"{user} needs this model; wait for its end.")
        with vendor_call(model.provider, "delete"):
            await provider.delete(model.artifact)
        async with self._database.write() as connection:
            await models.remove(connection, model.id)

    async def resolve(self, reference: str) -> Candidate:
        """Who is meant by a tuned model's id, `provider/base_model` or an alias.

        An alias is read anew each time: all replicas see a move at once. Raises `ModelNotFound`.
        """
        if reference.startswith("model_"):
            model = await self.get(reference)
            return Candidate(reference, model.provider, model.base_model, model.id)
        alias = await self._alias(reference)
        if alias is not None:
            return msgspec.structs.replace(alias.target, name=reference)
        name, _, base_model = reference.partition("/")
        provider = self._providers.get(name)
        if provider is None or not base_model:
            raise ModelNotFound(
                f"There is no model {reference!r}: use a tuned model's id, an alias or "
                "provider/base_model."
            )
        try:
            base = await answering(self._database, provider, name, base_model)
        except BaseModelUnknown as error:
            raise ModelNotFound(error.detail) from error
        return Candidate(reference, name, base.name)

    async def rates(self, candidate: Candidate) -> Rates | None:
        """What the model takes for tokens; None where no price is known."""
        provider = self._providers.get(candidate.provider)
        if provider is None:
            return None
        try:
            return rates_of(await asyncio.to_thread(provider.base_model, candidate.base_model))
        except BaseModelUnknown:
            return None

    async def ask(self, who: Candidate, request: dict[str, Any]) -> dict[str, Any]:
        """One answer in OpenAI's shape."""
        provider, model = await self._answering(who)
        with vendor_call(who.provider, "chat"):
            return await provider.chat(model, request) | {"model": who.name}

    async def ask_stream(
        self, who: Candidate, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """One answer as OpenAI's chunks; an unknown model is refused before the first."""
        provider, model = await self._answering(who)

        async def chunks() -> AsyncIterator[dict[str, Any]]:
            with vendor_call(who.provider, "chat_stream"):
                async for chunk in provider.chat_stream(model, request):
                    yield chunk | {"model": who.name}

        return chunks()

    async def _alias(self, reference: str) -> Alias | None:
        """The alias that is meant; other references cannot be the name of one."""
        if reference.startswith("model_") or "/" in reference:
            return None
        async with self._database.read() as connection:
            return await aliases.find(connection, reference)

    async def _note_used(self, model_id: str) -> None:
        """Let a deployment that is asked not be taken for idle; noted once a minute."""
        now = time.monotonic()
        if now - self._noted.get(model_id, -math.inf) < NOTE_SECONDS:
            return
        self._noted[model_id] = now
        async with self._database.write() as connection:
            await hosting.note_used(connection, model_id)

    async def _answering(self, who: Candidate) -> tuple[Provider, Servable]:
        artifact = (await self.get(who.model_id)).artifact if who.model_id else None
        provider = self._providers.get(who.provider)
        if provider is None:
            raise ModelNotFound(f"{who.name} lives at {who.provider}, which is not configured.")
        if who.model_id is not None and isinstance(provider, Deploying):
            await self._note_used(who.model_id)
        return provider, Servable(who.base_model, artifact)
