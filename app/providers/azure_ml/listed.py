"""A training in the workspace's list, whoever put it there: of what, on what, and into what."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from app.domain.jobs import Method, Millis, Remote
from app.providers.azure_ml.base_models import TRAINER
from app.providers.azure_ml.orders import KEY_TAG, ORDER
from app.providers.azure_ml.translate import effective

_CHAT = "chatcompletion"
_MODEL = re.compile(r"(?P<scope>/.+)/models/(?P<name>[^/]+)/versions/(?P<version>[^/]+)")


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One training; `source` is the name of the model that it began with.

    A model of the workspace is `azureml:name:version`.
    """

    remote: Remote
    name: str | None
    key: str | None
    source: str
    method: Method
    seed: int = 0
    training: str | None
    validation: str | None
    output: str | None
    """The name under which its model is registered."""

    created_at: Millis


def listed(job: Mapping[str, Any], scope: str) -> Listed | None:
    """What Azure's document of a job says of a training; None for a job that is none.

    `scope` is the workspace's resource id, by which its models are named.

    A fine-tuning job of Azure OpenAI's models leaves nothing in the workspace: those are imported
    by the provider `azure_openai`.
    """
    given = job["properties"]
    details: Mapping[str, Any] = given.get("fineTuningDetails") or {}
    if details.get("modelProvider") == "Custom":
        return _listed(
            job,
            source=_source(details["model"]["uri"], scope),
            method=_method(details),
            data={"training": details["trainingData"], "validation": details.get("validationData")},
        )
    order = _order(given)
    if order is None:
        return None
    return _listed(
        job,
        source=f"{TRAINER}{order['base_model']}",
        method=Method(order["method"], order["hyperparameters"]),
        data=given.get("inputs") or {},
        seed=order["seed"],
    )


def millis(document: Mapping[str, Any]) -> Millis:
    """When a resource was created."""
    return int(datetime.fromisoformat(document["systemData"]["createdAt"]).timestamp() * 1000)


def _listed(
    job: Mapping[str, Any],
    *,
    source: str,
    method: Method,
    data: Mapping[str, Any],
    seed: int = 0,
) -> Listed:
    given = job["properties"]
    studio = (given.get("services") or {}).get("Studio") or {}
    outputs = (given.get("outputs") or {}).values()
    return Listed(
        remote=Remote(id=job["name"], status=given["status"], url=studio.get("endpoint")),
        name=given.get("displayName"),
        key=(given.get("tags") or {}).get(KEY_TAG),
        source=source,
        method=method,
        seed=seed,
        training=_address(data.get("training")),
        validation=_address(data.get("validation")),
        output=next((one["assetName"] for one in outputs if one.get("assetName")), None),
        created_at=millis(job),
    )


def _source(uri: str, scope: str) -> str:
    model = _MODEL.fullmatch(uri)
    if model is None or model["scope"].lower() != scope.lower():
        return uri
    return f"azureml:{model['name']}:{model['version']}"


def _method(details: Mapping[str, Any]) -> Method:
    task = str(details["taskType"])
    kind = "sft" if task.lower() == _CHAT else task
    return Method(kind, effective(details.get("hyperParameters") or {}))


def _order(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What Luthier's own trainer was told; None for a command of somebody else."""
    told = (given.get("environmentVariables") or {}).get(ORDER)
    return None if told is None else msgspec.json.decode(told, type=dict[str, Any])


def _address(data: Mapping[str, Any] | None) -> str | None:
    return data.get("uri") if data else None
