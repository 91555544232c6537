"""Removing a tuned model: off its endpoints, the endpoints with it, then out of the registry."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app.providers.vertex.account import TIMEOUT_SECONDS, Account
from app.providers.vertex.artifacts import Tuned
from app.providers.vertex.refusals import asking

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1 import Endpoint

REMOVAL_SECONDS = 300.0
"""For each of Google's long-running operations."""


class Removal:
    """The removal of tuned models; what is gone already is passed over."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def remove(self, handle: str) -> None:
        """Remove the model of a handle, with every endpoint that answers for it alone."""
        with asking():
            await self._account.open()
            await self._account.run(self._remove, Tuned.parse(handle))

    def _remove(self, tuned: Tuned) -> None:
        for endpoint in sorted(self._endpoints(tuned)):
            with _gone_is_fine():
                self._clear(endpoint, tuned)
        with _gone_is_fine():
            _finish(self._account.models.delete_model, name=tuned.bare_model)

    def _endpoints(self, tuned: Tuned) -> set[str]:
        """The one that is known, and those of checkpoints, which the registry knows."""
        known = {tuned.endpoint} if tuned.endpoint else set[str]()
        with _gone_is_fine():
            model = self._account.models.get_model(
                name=tuned.bare_model, timeout=TIMEOUT_SECONDS, retry=None
            )
            known |= {deployed.endpoint for deployed in model.deployed_models}
        return known

    def _clear(self, name: str, tuned: Tuned) -> None:
        endpoints = self._account.endpoints
        endpoint = endpoints.get_endpoint(name=name, timeout=TIMEOUT_SECONDS, retry=None)
        ours = _deployed(endpoint, tuned)
        for deployed in ours:
            _finish(
                endpoints.undeploy_model,
                endpoint=name,
                deployed_model_id=deployed,
                traffic_split={},
            )
        if len(ours) == len(endpoint.deployed_models):
            _finish(endpoints.delete_endpoint, name=name)


def _deployed(endpoint: "Endpoint", tuned: Tuned) -> list[str]:
    """What of the model is deployed there; a project is named by its id or its number."""
    model = tuned.bare_model.rpartition("/")[2]
    return [
        deployed.id
        for deployed in endpoint.deployed_models
        if deployed.model.partition("@")[0].rpartition("/")[2] == model
    ]


def _finish(begin: Callable[..., Any], **said: Any) -> None:
    """Begin an operation and wait for its end."""
    begin(**said, timeout=TIMEOUT_SECONDS, retry=None).result(timeout=REMOVAL_SECONDS)


@contextmanager
def _gone_is_fine() -> Generator[None]:
    from google.api_core.exceptions import NotFound

    try:
        yield
    except NotFound:
        return
