"""The workspace's registered models, which jobs leave."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from app.sandbox.azure_ml.job import Job
from app.sandbox.azure_ml.storage import DATASTORE
from app.sandbox.frame.clock import Clock, moment
from app.sandbox.frame.exchange import Asked, Refused, Reply

_GONE = 204


class Models:
    """All versions of all models, by `(name, version)`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, int] = {}
        self.all: dict[tuple[str, str], dict[str, Any]] = {}

    def register(self, output: Mapping[str, Any], job: Job) -> None:
        """What a job's output with an asset name becomes, under the next version of that name."""
        name = str(output["assetName"])
        self._last[name] = self._last.get(name, 0) + 1
        version = str(self._last[name])
        default = f"azureml://datastores/{DATASTORE}/paths/azureml/{job.name}/registered_model/"
        home = f"{job.id.rpartition('/jobs/')[0]}/models/{name}/versions/{version}"
        self.all[name, version] = {
            "id": home,
            "name": version,
            "type": "Microsoft.MachineLearningServices/workspaces/models/versions",
            "systemData": {"createdAt": moment(self._clock.now()), "createdByType": "User"},
            "properties": {
                "modelType": output["jobOutputType"],
                "modelUri": output.get("uri") or default,
                "jobName": job.name,
                "isArchived": False,
            },
        }

    def get(self, asked: Asked) -> Reply:
        """GET …/models/{name}/versions/{version}"""
        key = _key(asked)
        if key not in self.all:
            raise Refused(404, f"Model {':'.join(key)} was not found.", code="UserError")
        return Reply.of(self.all[key])

    def list(self, asked: Asked) -> Reply:
        """GET …/models/{name}/versions, the newest first"""
        name = unquote(asked.names["name"])
        versions = [model for (named, _), model in reversed(self.all.items()) if named == name]
        if not versions:
            raise Refused(404, f"Model {name} was not found.", code="UserError")
        return Reply.of({"value": versions})

    def delete(self, asked: Asked) -> Reply:
        """DELETE: 200 for what was there, 204 for what was not"""
        was_there = self.all.pop(_key(asked), None) is not None
        return Reply.empty(status=200 if was_there else _GONE)


def _key(asked: Asked) -> tuple[str, str]:
    return unquote(asked.names["name"]), unquote(asked.names["version"])
