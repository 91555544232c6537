"""Where a training's file lies: the many addresses that Azure ML has for one blob."""

import re
from collections.abc import Mapping

import msgspec

_DATASTORE = re.compile(
    r"azureml://(?P<scope>subscriptions/.+/workspaces/[^/]+/)?"
    r"datastores/(?P<datastore>[^/]+)/paths/(?P<path>.+)",
    re.IGNORECASE,
)
_BLOB = re.compile(r"https://(?P<account>[^./]+)\.blob\.[^/]+/(?P<container>[^/]+)/(?P<path>[^?]+)")
_ASSET = re.compile(
    r"azureml:(?P<name>[^:/]+):(?P<version>[^:/]+)"
    r"|(?:azureml:)?(?P<scope>/subscriptions/.+)/data/(?P<named>[^/]+)/versions/(?P<numbered>[^/]+)",
    re.IGNORECASE,
)

_PROVIDER = "/providers/microsoft.machinelearningservices"
"""A part of a resource id that addresses leave out, or not."""


class Asset(msgspec.Struct, frozen=True):
    """A data asset of the workspace."""

    name: str
    version: str


class Storehouse(msgspec.Struct, frozen=True, kw_only=True):
    """The workspace's default datastore: its own name, and the container behind it."""

    scope: str
    datastore: str
    account: str
    container: str

    def asset(self, address: str) -> Asset | None:
        """The data asset of this workspace that an address names, if it names one."""
        match = _ASSET.fullmatch(address)
        if match is None:
            return None
        if match["scope"] is None:
            return Asset(match["name"], match["version"])
        is_here = match["scope"].lower() == self.scope.lower()
        return Asset(match["named"], match["numbered"]) if is_here else None

    def path(self, address: str) -> str | None:
        """The blob's path in the container; None for an address of anywhere else."""
        store, blob = _DATASTORE.fullmatch(address), _BLOB.fullmatch(address)
        if store is not None and self._is_ours(store.groupdict()):
            return store["path"]
        if blob is not None and (blob["account"], blob["container"]) == (
            self.account,
            self.container,
        ):
            return blob["path"]
        return None

    def _is_ours(self, store: Mapping[str, str | None]) -> bool:
        scope = (store["scope"] or "").strip("/").lower().replace(_PROVIDER, "")
        here = self.scope.strip("/").lower().replace(_PROVIDER, "")
        return store["datastore"] == self.datastore and scope in ("", here)
