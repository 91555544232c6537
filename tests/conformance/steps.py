"""What tests of the suite do with a provider: tune, serve, ask."""

from typing import Any

from app.domain.jobs import Remote
from app.domain.provider import Artifact, Deploying, Servable
from tests.conformance.stage import Stage, plan, question

WITHOUT_ANSWERS = {"azure_ml"}
"""What is tuned there is kept, and served by nobody."""


async def tuned(stage: Stage, key: str = "job-1-1", **others: Any) -> Artifact:
    """What a training left that ended well."""
    remote = await stage.provider.submit(plan(stage, key, **others))
    stage.finish(remote)
    return await left_by(stage, remote)


async def left_by(stage: Stage, remote: Remote) -> Artifact:
    """What a finished training left."""
    seen = await stage.provider.observe(remote, None)
    assert seen.artifact is not None, seen.error
    return seen.artifact


async def serve(stage: Stage, handle: str) -> None:
    """Deploy it, where that is needed before it can be asked."""
    if isinstance(stage.provider, Deploying):
        await stage.provider.deploy(handle)


async def told(stage: Stage, model: Servable) -> str:
    """The answer to question 3."""
    answer = await stage.provider.chat(model, _asked())
    return answer["choices"][0]["message"]["content"]


async def streamed(stage: Stage, model: Servable) -> str:
    """The same in chunks, put together."""
    return "".join([
        choice["delta"].get("content") or ""
        async for chunk in stage.provider.chat_stream(model, _asked())
        for choice in chunk["choices"]
    ])  # fmt: skip


def _asked() -> dict[str, Any]:
    return {"messages": [question(3)], "temperature": 0}
