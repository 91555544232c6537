"""Files and jobs at the simulated OpenAI, by its own SDK."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from openai import AsyncOpenAI
from openai.types.fine_tuning import FineTuningJob

BASE = "gpt-4.1-mini-2025-04-14"
REASONER = "o4-mini-2025-04-16"
GRADER = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}


def prompt(number: int) -> list[Any]:
    """What example `number` asks."""
    return [{"role": "user", "content": f"What is {number} doubled?"}]


def supervised(count: int = 12) -> bytes:
    """A file for supervised tuning."""
    return _lines(
        {"messages": [*prompt(n), {"role": "assistant", "content": f"It is {2 * n}."}]}
        for n in range(count)
    )


def preferences(count: int = 12) -> bytes:
    """A file for DPO."""
    return _lines(
        {
            "input": {"messages": prompt(n)},
            "preferred_output": [{"role": "assistant", "content": f"It is {2 * n}."}],
            "non_preferred_output": [{"role": "assistant", "content": "Who knows?"}],
        }
        for n in range(count)
    )


def tasks(count: int = 12) -> bytes:
    """A file for reinforcement."""
    return _lines({"messages": prompt(n), "answer": str(2 * n)} for n in range(count))


async def a_file(openai: AsyncOpenAI, content: bytes | None = None) -> str:
    """The id of an uploaded training file."""
    file = ("train.jsonl", supervised() if content is None else content, "application/jsonl")
    return (await openai.files.create(file=file, purpose="fine-tune")).id


async def a_job(openai: AsyncOpenAI, content: bytes | None = None, **asked: Any) -> FineTuningJob:
    """A job that was just created."""
    body: dict[str, Any] = {"model": BASE, "training_file": await a_file(openai, content)}
    return await openai.fine_tuning.jobs.create(**body | asked)


async def looked_at(openai: AsyncOpenAI, job_id: str, looks: int) -> FineTuningJob:
    """The job at the last of so many looks."""
    for _ in range(looks - 1):
        await openai.fine_tuning.jobs.retrieve(job_id)
    return await openai.fine_tuning.jobs.retrieve(job_id)


async def a_finished_job(
    openai: AsyncOpenAI, content: bytes | None = None, **asked: Any
) -> FineTuningJob:
    """A job that has gone all the way."""
    job = await a_job(openai, content, **asked)
    return await looked_at(openai, job.id, 5)


def _lines(examples: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(example).encode() + b"\n" for example in examples)
