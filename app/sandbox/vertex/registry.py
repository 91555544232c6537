"""Tuned models and the endpoints that answer for them, with Google's long-running operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.vertex.conditions import Conditions
from app.sandbox.vertex.identity import new_number
from app.sandbox.vertex.lines import Lesson

_TYPES = "type.googleapis.com/"
_EMPTY = {"@type": f"{_TYPES}google.protobuf.Empty"}
_UNDEPLOYED = {"@type": f"{_TYPES}google.cloud.aiplatform.v1.UndeployModelResponse"}


@dataclass(slots=True)
class Endpoint:
    """Where a model answers; `deployed` is the models by the id of their deployment."""

    deployed: dict[str, str]
    lessons: Mapping[str, Lesson]


@dataclass(slots=True)
class Registry:
    """All models (by name without version) and endpoints (by name) of the project."""

    conditions: Conditions
    models: dict[str, str] = field(default_factory=dict[str, str])
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    _operations: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def register(self, parent: str, base: str) -> str:
        """A new model; gives its name with the version."""
        name = f"{parent}/models/{new_number()}"
        self.models[name] = base
        return f"{name}@1"

    def deploy(self, parent: str, model: str, lessons: Sequence[Lesson]) -> str:
        """A new endpoint for a model; gives its name."""
        name = f"{parent}/endpoints/{new_number()}"
        learned = {lesson.asked: lesson for lesson in lessons}
        self.endpoints[name] = Endpoint({new_number(): model}, learned)
        return name

    def get_model(self, asked: Asked) -> Reply:
        """GET /models/{modelsId}"""
        name = self._model(asked)
        deployed = [
            {"endpoint": endpoint, "deployedModelId": deployment}
            for endpoint, kept in self.endpoints.items()
            for deployment, model in kept.deployed.items()
            if model.partition("@")[0] == name
        ]
        return Reply.of(
            {"name": name, "displayName": "tuned", "versionId": "1", "deployedModels": deployed}
        )

    def delete_model(self, asked: Asked) -> Reply:
        """DELETE /models/{modelsId}; refused for as long as it is deployed."""
        name = self._model(asked)
        if any(
            model.partition("@")[0] == name
            for endpoint in self.endpoints.values()
            for model in endpoint.deployed.values()
        ):
            raise Refused(400, "The model is deployed; undeploy it first.")
        del self.models[name]
        return self._operate(name, _EMPTY)

    def get_endpoint(self, asked: Asked) -> Reply:
        """GET /endpoints/{endpointsId}"""
        name = self._endpoint(asked)
        deployed = [
            {"id": deployment, "model": model}
            for deployment, model in self.endpoints[name].deployed.items()
        ]
        return Reply.of({"name": name, "displayName": "tuned", "deployedModels": deployed})

    def undeploy(self, asked: Asked) -> Reply:
        """POST /endpoints/{endpointsId}:undeployModel"""
        name = self._endpoint(asked)
        deployed = self.endpoints[name].deployed
        if asked.body["deployedModelId"] not in deployed:
            raise Refused(404, "There is no such deployment.")
        del deployed[asked.body["deployedModelId"]]
        return self._operate(name, _UNDEPLOYED)

    def delete_endpoint(self, asked: Asked) -> Reply:
        """DELETE /endpoints/{endpointsId}; refused for as long as something is deployed."""
        name = self._endpoint(asked)
        if self.endpoints[name].deployed:
            raise Refused(400, "The endpoint has deployed models; undeploy them first.")
        del self.endpoints[name]
        return self._operate(name, _EMPTY)

    def look(self, asked: Asked) -> Reply:
        """GET …/operations/{operationsId}: over at the first look."""
        operation = self._operations.get(asked.names["operationsId"])
        if operation is None:
            raise Refused(404, "There is no such operation.")
        return Reply.of(operation)

    def endpoint_of(self, asked: Asked) -> Endpoint:
        """The endpoint that a question is for, with a model behind it."""
        endpoint = self.endpoints[self._endpoint(asked)]
        if not endpoint.deployed:
            raise Refused(404, "Nothing is deployed on the endpoint.")
        return endpoint

    def _operate(self, name: str, response: Mapping[str, Any]) -> Reply:
        number = new_number()
        done = {"name": f"{name}/operations/{number}", "done": True, "response": response}
        self._operations[number] = done
        if self.conditions.slow_operations:
            return Reply.of({"name": done["name"]})
        return Reply.of(done)

    def _model(self, asked: Asked) -> str:
        number = asked.names["modelsId"].partition("@")[0]
        return _ending(self.models, f"models/{number}")

    def _endpoint(self, asked: Asked) -> str:
        return _ending(self.endpoints, f"endpoints/{asked.names['endpointsId']}")


def _ending(names: Mapping[str, Any], end: str) -> str:
    """The thing of that id, whether its project was named by id or by number."""
    for name in names:
        if name.endswith(f"/{end}"):
            return name
    raise Refused(404, f"{end} is not found.")
