"""What tests of Azure OpenAI begin with."""

from typing import Any

from app.domain.provider import Artifact, Servable
from tests.conformance.azure_openai_stage import AzureOpenAIStage
from tests.conformance.stage import plan, question

QUESTION: dict[str, Any] = {"messages": [question(3)]}


async def a_tuned_model(stage: AzureOpenAIStage) -> Artifact:
    """One that is trained, and not deployed."""
    remote = await stage.provider.submit(plan(stage))
    stage.finish(remote)
    artifact = (await stage.provider.observe(remote, None)).artifact
    assert artifact is not None
    return artifact


def servable(stage: AzureOpenAIStage, artifact: Artifact) -> Servable:
    """It, as it is asked."""
    return Servable(stage.base_model, artifact.handle)


def puts(stage: AzureOpenAIStage) -> int:
    """How often something was deployed."""
    return sum(seen.method == "PUT" for seen in stage.simulated.requests)


def created(stage: AzureOpenAIStage) -> Any:
    """The body of the last create of a job."""
    bodies = [
        seen.body
        for seen in stage.simulated.requests
        if seen.method == "POST" and seen.path.endswith("/fine_tuning/jobs")
    ]
    return bodies[-1]
