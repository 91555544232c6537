"""Files and jobs through the door, by OpenAI's own SDK."""

import json
from typing import Any

from openai.types import FileObject
from openai.types.fine_tuning import FineTuningJob

from tests.openai_door.conftest import Desk


def lines(count: int = 12) -> bytes:
    """Training data as OpenAI's guides write it."""
    rows = [
        {"messages": [_said("user", f"say {n}"), _said("assistant", f"say {n}")]}
        for n in range(count)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def preferences(count: int = 12) -> bytes:
    """The same for DPO."""
    rows = [
        {
            "input": {"messages": [_said("user", f"Greet guest {n}.")]},
            "preferred_output": [_said("assistant", "Good morning!")],
            "non_preferred_output": [_said("assistant", "What?")],
        }
        for n in range(count)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


async def file(
    desk: Desk, content: bytes | None = None, name: str = "train.jsonl", **more: Any
) -> FileObject:
    """A file that was just uploaded."""
    sent = (name, lines() if content is None else content)
    return await desk.openai.files.create(file=sent, purpose="fine-tune", **more)


async def job(desk: Desk, content: bytes | None = None, **asked: Any) -> FineTuningJob:
    """A job that was just created."""
    body: dict[str, Any] = {"model": desk.model} | asked
    if "training_file" not in body:
        body["training_file"] = (await file(desk, content)).id
    return await desk.openai.fine_tuning.jobs.create(**body)


async def ended(desk: Desk, **asked: Any) -> FineTuningJob:
    """A job at its end."""
    begun = await job(desk, **asked)
    await desk.end(begun.id)
    return await desk.openai.fine_tuning.jobs.retrieve(begun.id)


async def tuned(desk: Desk, **asked: Any) -> str:
    """The name of a model that was just tuned."""
    name = (await ended(desk, **asked)).fine_tuned_model
    assert name is not None
    return name


def _said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": text}
