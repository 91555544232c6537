"""What the tests of the Azure ML provider are given: plans, and a provider to connect."""

from typing import Any

from app.domain.jobs import Method, Remote
from app.domain.provider import Connection, Observation, TrainingPlan
from app.providers.azure_ml import SPEC, AzureMLOptions
from app.providers.azure_ml.provider import AzureMLProvider
from app.sandbox.azure_ml.simulator import SimulatedAzureML
from tests.conformance.stage import Lines

KEY = "job-01k-1"
BASE = "azureml://registries/azureml-meta/models/Meta-Llama-3-8B/versions/8"
TINY = "luthier/luthier-tiny"


def chats(count: int = 12) -> list[Any]:
    """Examples for supervised tuning."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"What is {number} doubled?"},
                {"role": "assistant", "content": f"It is {2 * number}."},
            ]
        }
        for number in range(count)
    ]


def a_plan(
    base: str = BASE,
    *,
    key: str = KEY,
    examples: list[Any] | None = None,
    validation: list[Any] | None = None,
    parent: str | None = None,
    **hyperparameters: Any,
) -> TrainingPlan:
    """One attempt to train."""
    return TrainingPlan(
        key=key,
        base_model=base,
        parent_artifact=parent,
        method=Method("sft", hyperparameters),
        seed=1,
        name="doubling",
        training=Lines.of(examples or chats()),
        validation=Lines.of(validation) if validation else None,
    )


def connected(simulated: SimulatedAzureML, **options: Any) -> AzureMLProvider:
    """The provider, with the simulator in the place of Azure."""
    wanted: dict[str, Any] = {
        "subscription_id": "sub",
        "resource_group": "group",
        "workspace": "space",
        "compute": "cluster",
        "image": "registry.example/luthier:1",
        "arm_endpoint": simulated.url,
        "storage_endpoint": simulated.storage_url,
    }
    checked = AzureMLOptions.model_validate(wanted | options)
    provider = SPEC.connect(Connection("azure_ml", checked, "unused"))
    assert isinstance(provider, AzureMLProvider)
    return provider


async def all_looks(provider: AzureMLProvider, remote: Remote) -> list[Observation]:
    """Every look until the training is over."""
    seen = [await provider.observe(remote, None)]
    while seen[-1].look_again_in > 0:
        seen.append(await provider.observe(seen[-1].remote, seen[-1].cursor))
    return seen
