"""Names: which model a program means that was written for one vendor alone."""

from collections.abc import Mapping

from app.domain.errors import ModelNotFound
from app.domain.naming import model_id_of
from app.domain.provider import Provider
from app.services.models import Models


class Names:
    """Reads the names that OpenAI's programs use."""

    def __init__(self, models: Models, providers: Mapping[str, Provider]) -> None:
        self._models = models
        self._providers = providers

    async def reference(self, name: str) -> str:
        """What `Models` calls the model of that name; an unknown one is left as it is.

        `ft:...` names are read; a base model's bare name means the one configured provider that
        lists it, or OpenAI where several do.
        """
        tuned = model_id_of(name)
        if tuned is not None:
            return tuned
        if name.startswith("model_") or name.partition("/")[0] in self._providers:
            return name
        try:
            await self._models.resolve(name)
        except ModelNotFound:
            home = self._home_of(name)
            return f"{home}/{name}" if home else name
        return name

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
