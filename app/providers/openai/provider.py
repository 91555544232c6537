"""OpenAI: the wire's verbs with OpenAI's catalogue, key and webhooks."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from app.domain.catalogue import read_catalogue
from app.domain.provider import Connection, ProviderSpec
from app.providers import readiness
from app.providers.openai import OpenAIOptions
from app.providers.openai_wire.provider import WireProvider

if TYPE_CHECKING:
    from app.providers.openai_wire.account import WireAccount


class OpenAIProvider(WireProvider):
    """One connection to OpenAI; without a key it checks and compiles."""

    def __init__(self, spec: ProviderSpec, connection: Connection) -> None:
        assert isinstance(connection.options, OpenAIOptions)
        packaged = files("app.providers.openai").joinpath("catalogue.toml").read_bytes()
        catalogue = read_catalogue(packaged, connection.correction)
        super().__init__(spec, connection.name, catalogue)
        self._options = connection.options
        self._folder = connection.data_dir

    @property
    def missing(self) -> Sequence[str]:
        """The variable for the key, where none is set."""
        return readiness.unset(self._name, {"api_key": self._options.secret("api_key")})

    def webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The job that a signed message is about."""
        return self._webhook(headers, body, self._options.secret("webhook_secret"))

    def _open(self) -> "WireAccount":
        from app.providers.openai.account import open_account

        return open_account(self._options, folder=self._folder)
