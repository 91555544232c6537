"""What the SDK has no verb for, or a worse one: lists, why a job failed, removing a model."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from app.providers.azure_ml.account import CONNECT_SECONDS, READ_SECONDS, Account
from app.providers.azure_ml.orders import model_id

API_VERSION = "2024-10-01-preview"

_NOT_FOUND = 404


class Resources:
    """The workspace by plain HTTP, synchronously as the SDK."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def reason(self, name: str) -> str | None:
        """Why a job failed, as the run history tells it; None where it does not."""
        workspace = self._ask("GET", self._account.scope)
        discovery = str(workspace["properties"].get("discoveryUrl") or "")
        history = discovery.removesuffix("/discovery") + "/history/v1.0" + self._account.scope
        details = self._get(f"{history}/runs/{quote(name, safe='')}/details")
        error: Mapping[str, Any] = (details.get("error") or {}).get("error") or {}
        return error.get("message")

    def jobs(self) -> Iterator[dict[str, Any]]:
        """All jobs of the workspace, the newest first.

        The SDK lists by an older version of the API, and leaves out what it cannot read of it.
        """
        return self._listed(f"{self._account.scope}/jobs")

    def versions(self, model: str) -> Iterator[dict[str, Any]]:
        """All versions of a registered model; none where there is no such model."""
        return self._listed(f"{self._account.scope}/models/{quote(model, safe='')}/versions")

    def data(self, name: str, version: str) -> dict[str, Any] | None:
        """A data asset's properties; None where there is none."""
        path = f"{self._account.scope}/data/{quote(name, safe='')}/versions/{quote(version)}"
        return self._ask("GET", path, gone={}).get("properties")

    def has_model(self, artifact: str) -> bool:
        """Whether a model is registered; `artifact` is `name:version`."""
        return self._ask("GET", model_id(self._account.scope, artifact), gone={}) != {}

    def remove_model(self, artifact: str) -> None:
        """Take a model out of the registry; one that is gone already is fine."""
        self._ask("DELETE", model_id(self._account.scope, artifact), gone={})

    def _listed(self, path: str) -> Iterator[dict[str, Any]]:
        """Every page of a list; none where there is nothing to be listed."""
        page = self._ask("GET", path, gone={"value": []})
        yield from page["value"]
        while page.get("nextLink"):
            # The rest of a list is where its beginning was, whatever the address calls it.
            rest = httpx.URL(page["nextLink"]).raw_path.decode()
            page = self._get(f"{self._account.arm}{rest}")
            yield from page["value"]

    def _ask(self, method: str, path: str, *, gone: dict[str, Any] | None = None) -> dict[str, Any]:
        url = f"{self._account.arm}{path}?api-version={API_VERSION}"
        return self._get(url, method=method, gone=gone)

    def _get(
        self, url: str, *, method: str = "GET", gone: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The JSON answer, or `gone` for 404; raises httpx's errors."""
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        headers = {"authorization": f"Bearer {self._account.token()}"}
        answer = httpx.request(method, url, headers=headers, timeout=timeout)
        if answer.status_code == _NOT_FOUND and gone is not None:
            return gone
        answer.raise_for_status()
        return answer.json() if answer.content else {}
