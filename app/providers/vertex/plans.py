"""What one attempt asks of Vertex AI: a `TuningJob` as JSON, and the label that finds it again.

https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/tuning
"""

from collections.abc import Mapping
from typing import Any

from app.domain.provider import TrainingPlan
from app.providers.vertex.artifacts import Tuned

LABEL = "luthier-key"
"""The label's name; the value is the submission key, at most 63 of `[a-z0-9-]` as labels want."""

MOST_NAME = 128

SPECS = {"sft": "supervisedTuningSpec", "dpo": "preferenceOptimizationSpec"}
"""Where Google's job says what a method of ours is asked with."""

_PARAMETERS = {
    "epochs": "epochCount",
    "learning_rate_multiplier": "learningRateMultiplier",
    "adapter_size": "adapterSize",
    "beta": "beta",
}

ADAPTER_SIZES = {
    1: "ADAPTER_SIZE_ONE",
    2: "ADAPTER_SIZE_TWO",
    4: "ADAPTER_SIZE_FOUR",
    8: "ADAPTER_SIZE_EIGHT",
    16: "ADAPTER_SIZE_SIXTEEN",
    32: "ADAPTER_SIZE_THIRTY_TWO",
}


def tuning_job(plan: TrainingPlan, training: str, validation: str | None) -> dict[str, Any]:
    """The job to create; `training` and `validation` are `gs://` addresses."""
    return {
        **_source(plan),
        # A new name makes a new model: a continued training would add a version to its parent's.
        "tunedModelDisplayName": (plan.name or plan.key)[:MOST_NAME],
        "labels": {LABEL: plan.key},
        SPECS[plan.method.type]: _spec(plan, training, validation),
    }


def filter_for(key: str) -> str:
    """What a list is asked for, to find the job of a submission key."""
    return f'labels.{LABEL}="{key}"'


def _source(plan: TrainingPlan) -> dict[str, Any]:
    if plan.parent_artifact is None:
        return {"baseModel": plan.base_model}
    parent = Tuned.parse(plan.parent_artifact)
    source = {"tunedModelName": parent.model}
    if parent.checkpoint is not None:
        source["checkpointId"] = parent.checkpoint
    return {"preTunedModel": source}


def _spec(plan: TrainingPlan, training: str, validation: str | None) -> dict[str, Any]:
    asked = plan.method.hyperparameters
    spec: dict[str, Any] = {"trainingDatasetUri": training}
    if validation is not None:
        spec["validationDatasetUri"] = validation
    if "export_last_checkpoint_only" in asked:
        spec["exportLastCheckpointOnly"] = asked["export_last_checkpoint_only"]
    parameters = _parameters(asked)
    return spec | ({"hyperParameters": parameters} if parameters else {})


def _parameters(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is left out, or `auto`, Google chooses by the dataset."""
    found = {
        theirs: asked[ours]
        for ours, theirs in _PARAMETERS.items()
        if asked.get(ours, "auto") != "auto"
    }
    if "adapterSize" in found:
        found["adapterSize"] = ADAPTER_SIZES[found["adapterSize"]]
    return found
