"""A host that speaks OpenAI's wire: the wire's verbs, as far as its capabilities go."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from app.domain.catalogue import Catalogue, read_catalogue
from app.domain.errors import OperationNotSupported
from app.domain.provider import Connection, Operation, ProviderSpec
from app.providers import readiness
from app.providers.openai_compatible import Capabilities, OpenAICompatibleOptions
from app.providers.openai_wire.provider import WireProvider

if TYPE_CHECKING:
    from app.providers.openai_wire.account import WireAccount


class OpenAICompatibleProvider(WireProvider):
    """One connection to one host; without its address and key it checks and compiles."""

    def __init__(self, spec: ProviderSpec, connection: Connection) -> None:
        assert isinstance(connection.options, OpenAICompatibleOptions)
        capabilities = connection.options.capabilities
        catalogue = _catalogue(capabilities, connection.correction)
        super().__init__(_able(spec, capabilities), connection.name, catalogue)
        self._options = connection.options
        self._folder = connection.data_dir

    @property
    def missing(self) -> Sequence[str]:
        """The variables for the address and the key, where they are not set."""
        options = self._options
        wanted = {"base_url": options.base_url, "api_key": options.api_key}
        return readiness.unset(self._name, wanted)

    def webhook(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The job that a signed message is about."""
        if not self._options.capabilities.webhooks:
            raise OperationNotSupported(f"{self._name} sends no webhooks, by its capabilities.")
        secret = self._options.webhook_secret
        return self._webhook(headers, body, secret.get_secret_value() if secret else None)

    def _open(self) -> "WireAccount":
        from app.providers.openai_compatible.account import open_account

        return open_account(self._options, folder=self._folder)


def _catalogue(capabilities: Capabilities, correction: Mapping[str, Any]) -> Catalogue:
    """The connection's base models, and the operator's catalogue laid over them."""
    packaged = files("app.providers.openai_compatible").joinpath("catalogue.toml").read_bytes()
    models = [*capabilities.base_models, *correction.get("models", [])]
    return read_catalogue(packaged, {**correction, "models": models})


def _able(spec: ProviderSpec, capabilities: Capabilities) -> ProviderSpec:
    """The introduction of a host that can do as much."""
    more: set[Operation] = set()
    if capabilities.pause:
        more |= {Operation.PAUSE, Operation.RESUME}
    if capabilities.checkpoints:
        more.add(Operation.CHECKPOINTS)
    if capabilities.model_list:
        more.add(Operation.REFRESH)
    return msgspec.structs.replace(spec, operations=spec.operations | more)
