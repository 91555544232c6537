"""Deployments as Azure Resource Manager keeps them: put, looked at, deleted, and removed idle."""

from dataclasses import dataclass
from typing import Any

from app.sandbox.azure_openai.conditions import AzureConditions
from app.sandbox.frame.clock import Clock, moment
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.openai.models import Models

_DAY_SECONDS = 86_400
_HOUR_SECONDS = 3600
_TYPE = "Microsoft.CognitiveServices/accounts/deployments"


@dataclass(slots=True)
class Deployed:
    """One deployment; times are in seconds since 1970, `looks` count since it last changed."""

    id: str
    name: str
    model: dict[str, Any]
    sku: dict[str, Any]
    created_at: float
    used_at: float
    looks: int = 0
    is_leaving: bool = False


class Deployments:
    """All deployments of the account, by name."""

    def __init__(self, models: Models, conditions: AzureConditions, clock: Clock) -> None:
        self._models = models
        self._conditions = conditions
        self._clock = clock
        self.all: dict[str, Deployed] = {}

    def list(self, asked: Asked) -> Reply:
        """GET …/deployments"""
        return Reply.of({"value": [self._shape(one) for one in self.all.values()]})

    def put(self, asked: Asked) -> Reply:
        """PUT …/deployments/{deploymentName}"""
        name = asked.names["deploymentName"]
        known = self.all.get(name)
        if known is not None and known.is_leaving:
            raise Refused(409, f"The deployment '{name}' is being deleted.", code="Conflict")
        made = self._new(asked, name)
        if known is not None and known.model == made.model:
            known.sku = made.sku
            return Reply.of(self._shape(known))
        self.all[name] = made
        return Reply.of(self._shape(made, is_new=True), status=201)

    def get(self, asked: Asked) -> Reply:
        """GET …/deployments/{deploymentName}"""
        one = self._named(asked)
        one.looks += 1
        if one.is_leaving and one.looks > self._conditions.deployment_looks:
            del self.all[one.name]
            one = self._named(asked)
        return Reply.of(self._shape(one))

    def delete(self, asked: Asked) -> Reply:
        """DELETE …/deployments/{deploymentName}"""
        one = self.all.get(asked.names["deploymentName"])
        if one is None:
            return Reply.empty(status=204)
        one.is_leaving, one.looks = True, 0
        return Reply.empty(status=202)

    def model_of(self, name: str) -> str:
        """The model that a deployment serves, which counts as its use; raises `Refused`."""
        one = self.all.get(name)
        if one is None or self._state(one) != "Succeeded":
            raise Refused(
                404,
                "The API deployment for this resource does not exist. If you created the "
                "deployment within the last 5 minutes, please wait a moment and try again.",
                code="DeploymentNotFound",
            )
        one.used_at = self._clock.now()
        return one.model["name"]

    def catch_up(self) -> None:
        """Remove what nobody asked for too long, and what lives for a day only."""
        for one in list(self.all.values()):
            if self._clock.now() >= self._end(one):
                del self.all[one.name]

    def _new(self, asked: Asked, name: str) -> Deployed:
        model = asked.body["properties"]["model"]
        try:
            self._models.base_of(model["name"])
        except Refused as refused:
            message = f"The model '{model['name']}' is not found."
            raise Refused(400, message, code="InvalidResourceProperties") from refused
        now = self._clock.now()
        return Deployed(asked.path, name, dict(model), dict(asked.body["sku"]), now, now)

    def _named(self, asked: Asked) -> Deployed:
        name = asked.names["deploymentName"]
        if name not in self.all:
            raise Refused(404, f"The deployment '{name}' is not found.", code="ResourceNotFound")
        return self.all[name]

    def _end(self, one: Deployed) -> float:
        if str(one.sku["name"]).lower().startswith("developer"):
            return one.created_at + self._conditions.developer_hours * _HOUR_SECONDS
        return one.used_at + self._conditions.idle_days * _DAY_SECONDS

    def _state(self, one: Deployed) -> str:
        if one.is_leaving:
            return "Deleting"
        return "Succeeded" if one.looks >= self._conditions.deployment_looks else "Creating"

    def _shape(self, one: Deployed, *, is_new: bool = False) -> dict[str, Any]:
        state = "Creating" if is_new else self._state(one)
        return {
            "id": one.id,
            "type": _TYPE,
            "name": one.name,
            "sku": one.sku,
            "properties": {"model": one.model, "provisioningState": state},
            "systemData": {"createdAt": moment(one.created_at), "createdByType": "User"},
        }
