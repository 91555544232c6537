"""Names: which model a program means that was written for one vendor alone."""

from collections.abc import Mapping

import msgspec

from app.domain.errors import ModelNotFound
from app.domain.evaluations import Candidate
from app.domain.naming import model_id_of
from app.domain.provider import Provider
from app.services.models import Models


class Names:
    """Reads the names that OpenAI's programs use."""

    def __init__(self, models: Models, providers: Mapping[str, Provider]) -> None:
        self._models = models
        self._providers = providers

    async def resolve(self, name: str) -> Candidate:
        """Who is meant by whatever `Models` reads, and by the names that OpenAI's programs use.

        `ft:...` names are read; a base model's bare name means the one configured provider that
        lists it, or OpenAI where several do. Raises `ModelNotFound`.
        """
        meant = await self._meant(name)
        return msgspec.structs.replace(meant, name=name)

    async def _meant(self, name: str) -> Candidate:
        tuned = model_id_of(name)
        if tuned is not None:
            return await self._models.resolve(tuned)
        try:
            return await self._models.resolve(name)
        except ModelNotFound:
            if name.startswith("model_") or name.partition("/")[0] in self._providers:
                raise
            home = self._home_of(name)
            if home is None:
                raise
        return await self._models.resolve(f"{home}/{name}")

    def _home_of(self, name: str) -> str | None:
        """The connection that a bare name belongs to."""
        # A model that was tuned at the vendor itself is named after its base.
        base = name.split(":")[1] if name.startswith("ft:") and name.count(":") > 1 else name
        homes = [
            home
            for home, provider in self._providers.items()
            if not provider.missing and any(one.name == base for one in provider.base_models())
        ]
        if len(homes) > 1:
            homes = [home for home in homes if self._providers[home].spec.kind == "openai"]
        return homes[0] if len(homes) == 1 else None
