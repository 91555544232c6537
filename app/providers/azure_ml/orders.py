"""What one attempt asks of Azure ML, as the SDK's job: a fine-tuning job, or a command."""

import json
from typing import TYPE_CHECKING, Any

import msgspec

from app.domain.errors import YourTurn
from app.domain.provider import TrainingPlan
from app.providers.azure_ml.base_models import TRAINER, is_trainers
from app.providers.azure_ml.staging import address

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job

EXPERIMENT = "luthier"

KEY_TAG = "luthier_key"

ORDER = "LUTHIER_SPEC"
"""The variable that tells Luthier's trainer what to do."""

PARAMETERS = {
    "epochs": "num_train_epochs",
    "batch_size": "per_device_train_batch_size",
    "learning_rate": "learning_rate",
}
"""Ours to those of Azure's fine-tuning components, whose values are text."""

_REGISTRIES = "azureml://"

_COMMAND = (
    "python -m app.providers.azure_ml.container --training ${{inputs.training}} "
    "--run ${{outputs.run}} --model ${{outputs.model}}"
)


class Place(msgspec.Struct, frozen=True):
    """Where jobs go: the workspace's resource id, its default datastore, cluster and image."""

    scope: str
    datastore: str
    compute: str
    image: str | None


class Files(msgspec.Struct, frozen=True):
    """The addresses of one attempt's files."""

    training: str
    validation: str | None = None


def order(plan: TrainingPlan, files: Files, place: Place) -> "Job":
    """The job to put; its name is the submission key."""
    if is_trainers(plan.base_model):
        return _command(plan, files, place)
    return _fine_tuning(plan, files, place)


def run_folder(key: str) -> str:
    """Where in the container Luthier's trainer writes what it has to say."""
    return f"luthier/runs/{key}"


def model_folder(key: str) -> str:
    """Where Luthier's trainer leaves the tuned model."""
    return f"luthier/models/{key}"


def model_id(scope: str, artifact: str) -> str:
    """The resource id of a registered model, `name:version`."""
    name, _, version = artifact.removeprefix("azureml:").partition(":")
    return f"{scope}/models/{name}/versions/{version}"


def _fine_tuning(plan: TrainingPlan, files: Files, place: Place) -> "Job":
    from azure.ai.ml import Input, Output
    from azure.ai.ml.entities import CustomModelFineTuningJob

    model = plan.parent_artifact or plan.base_model
    if not model.startswith(_REGISTRIES):
        model = model_id(place.scope, model)
    # Not by create_finetuning_job, which fails without validation data.
    return CustomModelFineTuningJob(
        name=plan.key,
        display_name=plan.name or plan.key,
        experiment_name=EXPERIMENT,
        tags=_tags(plan),
        properties={},
        task="ChatCompletion",
        model=Input(type="mlflow_model", path=model),
        training_data=Input(type="uri_file", path=files.training),
        validation_data=files.validation and Input(type="uri_file", path=files.validation),
        hyperparameters=_parameters(plan),
        compute=f"{place.scope}/computes/{place.compute}",
        outputs={"registered_model": Output(type="mlflow_model", name=plan.key)},
    )


def _command(plan: TrainingPlan, files: Files, place: Place) -> "Job":
    from azure.ai.ml import Input, Output, command
    from azure.ai.ml.entities import Environment

    if place.image is None:
        raise YourTurn(
            "Set LUTHIER_PROVIDERS__AZURE_ML__IMAGE to a container image with luthier[local] in "
            "it, then retry the job."
        )
    given: dict[str, Any] = {"training": Input(type="uri_file", path=files.training)}
    if files.validation is not None:
        given["validation"] = Input(type="uri_file", path=files.validation)
    if plan.parent_artifact is not None:
        parent = model_id(place.scope, plan.parent_artifact)
        given["parent"] = Input(type="custom_model", path=parent)
    more = [f"--{name} ${{{{inputs.{name}}}}}" for name in given if name != "training"]
    return command(
        name=plan.key,
        display_name=plan.name or plan.key,
        experiment_name=EXPERIMENT,
        tags=_tags(plan),
        command=" ".join([_COMMAND, *more]),
        environment=Environment(image=place.image),
        environment_variables={ORDER: json.dumps(_spec(plan))},
        compute=place.compute,
        inputs=given,
        outputs={
            "run": Output(
                type="uri_folder",
                path=f"{address(place.datastore, run_folder(plan.key))}/",
                mode="rw_mount",
            ),
            "model": Output(
                type="custom_model",
                path=f"{address(place.datastore, model_folder(plan.key))}/",
                mode="rw_mount",
                name=plan.key,
            ),
        },
    )


def _tags(plan: TrainingPlan) -> dict[str, str]:
    return {KEY_TAG: plan.key}


def _parameters(plan: TrainingPlan) -> dict[str, str]:
    """What is left out, or `auto`, the component chooses."""
    asked = plan.method.hyperparameters
    return {
        theirs: str(asked[ours])
        for ours, theirs in PARAMETERS.items()
        if asked.get(ours, "auto") != "auto"
    }


def _spec(plan: TrainingPlan) -> dict[str, Any]:
    """What the trainer reads as its order."""
    name = plan.base_model.removeprefix(TRAINER)
    return {
        "key": plan.key,
        "base_model": name,
        "model": name,
        "method": plan.method.type,
        "hyperparameters": plan.method.hyperparameters,
        "seed": plan.seed,
        # The container is the trainer's own: it may use all there is.
        "threads": None,
        "memory_limit_bytes": None,
    }
