"""What the tests of the Vertex AI provider are given: plans, sources, and a provider to connect."""

from collections.abc import Sequence
from typing import Any

from app.domain.jobs import Method
from app.domain.provider import Artifact, Connection, Observation, TrainingPlan
from app.providers.vertex import SPEC, VertexOptions
from app.providers.vertex.provider import VertexProvider
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.conformance.stage import Lines

KEY = "job-01k-1"
BASE = "gemini-3.5-flash-lite"


def chats(count: int = 12) -> list[Any]:
    """Examples for supervised tuning."""
    return [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": f"What is {number} doubled?"},
                {"role": "assistant", "content": f"It is {2 * number}."},
            ]
        }
        for number in range(count)
    ]


def preferences(count: int = 12) -> list[Any]:
    """Examples for preference tuning."""
    return [
        {
            "prompt": [{"role": "user", "content": f"What is {number} doubled?"}],
            "chosen": [{"role": "assistant", "content": f"It is {2 * number}."}],
            "rejected": [{"role": "assistant", "content": "Who knows?"}],
        }
        for number in range(count)
    ]


def a_plan(
    method: str = "sft",
    *,
    key: str = KEY,
    examples: Sequence[Any] | None = None,
    validation: Sequence[Any] | None = None,
    parent: str | None = None,
    **hyperparameters: Any,
) -> TrainingPlan:
    """One attempt to train."""
    wanted = examples or (chats() if method == "sft" else preferences())
    return TrainingPlan(
        key=key,
        base_model=BASE,
        parent_artifact=parent,
        method=Method(method, hyperparameters),
        seed=1,
        name="doubling",
        training=Lines.of(wanted),
        validation=Lines.of(validation) if validation else None,
    )


def connected(simulated: SimulatedVertex, **options: Any) -> VertexProvider:
    """The provider, with the simulator in the place of Google."""
    wanted: dict[str, Any] = {
        "project": "luthier-test",
        "location": "us-central1",
        "staging_bucket": "gs://staging/training",
        "api_endpoint": simulated.url,
        "storage_endpoint": simulated.url,
    }
    checked = VertexOptions.model_validate(wanted | options)
    provider = SPEC.connect(Connection("vertex", checked, "unused"))
    assert isinstance(provider, VertexProvider)
    return provider


async def trained(provider: VertexProvider, plan: TrainingPlan | None = None) -> Artifact:
    """What a training leaves once it has succeeded."""
    remote = await provider.submit(plan or a_plan())
    seen = await at_the_end(provider, remote.id)
    assert seen.artifact is not None, seen
    return seen.artifact


async def at_the_end(provider: VertexProvider, remote_id: str) -> Observation:
    """The last of as many looks as a training takes."""
    return (await all_looks(provider, remote_id))[-1]


async def all_looks(provider: VertexProvider, remote_id: str) -> list[Observation]:
    """Every look until the training is over."""
    from app.domain.jobs import Remote

    seen = [await provider.observe(Remote(remote_id), None)]
    while seen[-1].look_again_in > 0:
        seen.append(await provider.observe(seen[-1].remote, seen[-1].cursor))
    return seen
