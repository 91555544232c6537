"""The workspace's data assets: files under a name of their own."""

from typing import Any
from urllib.parse import unquote

from app.sandbox.azure_ml.identity import workspace_id
from app.sandbox.frame.exchange import Asked, Refused, Reply

_KIND = "Microsoft.MachineLearningServices/workspaces/data/versions"


class Data:
    """All versions of all data assets, by resource id."""

    def __init__(self) -> None:
        self._all: dict[str, Any] = {}

    def put(self, asked: Asked) -> Reply:
        """PUT …/data/{name}/versions/{version}; one that is there stays as it is"""
        home, version = _home(asked), unquote(asked.names["version"])
        is_new = home not in self._all
        shape = {"id": home, "name": version, "type": _KIND, **asked.body}
        return Reply.of(self._all.setdefault(home, shape), status=201 if is_new else 200)

    def get(self, asked: Asked) -> Reply:
        """GET …/data/{name}/versions/{version}"""
        if _home(asked) not in self._all:
            raise Refused(404, f"Data {asked.names['name']} was not found.", code="UserError")
        return Reply.of(self._all[_home(asked)])

    def address(self, uri: str) -> str:
        """Where the file is that a job names: by an asset's resource id, or as it stands."""
        return self._all[uri]["properties"]["dataUri"] if uri in self._all else uri


def _home(asked: Asked) -> str:
    name, version = unquote(asked.names["name"]), unquote(asked.names["version"])
    return f"{workspace_id(asked.names)}/data/{name}/versions/{version}"
