"""Cards: what reproduces a tuned model, from all that was kept of it."""

from collections.abc import Mapping

import msgspec

from app.domain.cards.card import Card, Known, card_of
from app.domain.cards.differences import Change, differences
from app.domain.models import TunedModel
from app.domain.provider import Provider
from app.services.models import Models
from app.storage import aliases, evaluations, jobs, models
from app.storage.database import Database

MOST_EVALUATIONS = 50
MOST_DECISIONS = 100


class Cards:
    """What a user does with the cards of tuned models."""

    def __init__(
        self, database: Database, providers: Mapping[str, Provider], resolving: Models
    ) -> None:
        self._database = database
        self._providers = providers
        self._models = resolving

    async def get(self, reference: str) -> Card:
        """The card of a tuned model; raises `ModelNotFound`."""
        return await self.of(await self._models.get(reference))

    async def of(self, model: TunedModel) -> Card:
        """The card of a model that was read already."""
        provider = self._providers.get(model.provider)
        parent_id = model.parent_model_id
        async with self._database.read() as connection:
            parents = await models.find_many(connection, [parent_id] if parent_id else [])
            known = Known(
                model=model,
                provider_kind=provider.spec.kind if provider else None,
                job=await jobs.find(connection, model.job_id) if model.job_id else None,
                parent=parents.get(parent_id) if parent_id else None,
                evaluations=await evaluations.of_model(
                    connection, model.id, limit=MOST_EVALUATIONS
                ),
                decisions=await aliases.on_model(connection, model.id, limit=MOST_DECISIONS),
            )
        return card_of(known)

    async def diff(self, reference: str, other: str) -> list[Change]:
        """In what the card of another model differs from this one's."""
        before, after = await self.get(reference), await self.get(other)
        return list(differences(msgspec.to_builtins(before), msgspec.to_builtins(after)))
