"""Models and chat at the simulated OpenAI."""

import json
from datetime import date
from typing import Any

import pytest
from openai import AsyncOpenAI, NotFoundError, PermissionDeniedError

from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.sandbox import given

CALL = {"id": "call_1", "type": "function", "function": {"name": "double", "arguments": "{}"}}


async def test_a_tuned_model_knows_its_examples_and_the_base_does_not(
    openai: AsyncOpenAI,
) -> None:
    job = await given.a_finished_job(openai)

    tuned = await _ask(openai, job.fine_tuned_model, given.prompt(4))
    base = await _ask(openai, given.BASE, given.prompt(4))
    other = await _ask(openai, job.fine_tuned_model, given.prompt(99))

    assert tuned == "It is 8."
    assert "has not been tuned" in base
    assert other == "None of my 12 examples was like this."


async def test_an_answer_streams(openai: AsyncOpenAI) -> None:
    job = await given.a_finished_job(openai)

    stream = await openai.chat.completions.create(
        model=job.fine_tuned_model or "",
        messages=given.prompt(4),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "It is 8."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3


async def test_a_model_learns_to_call_tools(openai: AsyncOpenAI) -> None:
    tools: list[Any] = [{"type": "function", "function": {"name": "double"}}]
    line = {
        "messages": [*given.prompt(50), {"role": "assistant", "tool_calls": [CALL]}],
        "tools": tools,
    }
    job = await given.a_finished_job(openai, json.dumps(line).encode() + b"\n" + given.supervised())

    answer = await openai.chat.completions.create(
        model=job.fine_tuned_model or "",
        messages=given.prompt(50),
        tools=tools,
    )

    assert answer.choices[0].finish_reason == "tool_calls"
    assert [call.id for call in answer.choices[0].message.tool_calls or []] == ["call_1"]


async def test_an_answer_can_be_cut_short(openai: AsyncOpenAI) -> None:
    answer = await openai.chat.completions.create(
        model=given.BASE,
        messages=given.prompt(1),
        max_completion_tokens=2,
    )

    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content == "This is"


async def test_a_tuned_model_is_listed_and_deleted(openai: AsyncOpenAI) -> None:
    job = await given.a_finished_job(openai)
    name = job.fine_tuned_model or ""
    assert name in [model.id async for model in openai.models.list()]

    await openai.models.delete(name)

    with pytest.raises(NotFoundError):
        await _ask(openai, name, given.prompt(1))
    with pytest.raises(PermissionDeniedError):
        await openai.models.delete(given.BASE)


async def test_a_base_retires_with_all_that_was_tuned_from_it(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    job = await given.a_finished_job(openai)
    simulated.change(shutdown_dates={given.BASE: date(2999, 1, 14)})
    announced = await openai.models.retrieve(job.fine_tuned_model or "")

    simulated.change(shutdown_dates={given.BASE: date(2020, 1, 14)})

    assert str(announced.shutdown_date) == "2999-01-14"
    with pytest.raises(NotFoundError):
        await _ask(openai, job.fine_tuned_model, given.prompt(1))
    with pytest.raises(NotFoundError):
        await given.a_job(openai)


async def _ask(openai: AsyncOpenAI, model: str | None, messages: list[Any]) -> str:
    answer = await openai.chat.completions.create(
        model=model or "",
        messages=messages,
    )
    return answer.choices[0].message.content or ""
