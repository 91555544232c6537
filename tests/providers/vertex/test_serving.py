"""Answers of tuned and base models, and the removal of tuned ones."""

from typing import Any

import pytest

from app.domain.errors import Invalid, Later, ModelUnavailable, Never
from app.domain.provider import Servable
from app.providers.vertex.provider import VertexProvider
from app.sandbox.frame.faults import Cut, Failure, Reset, too_many_requests
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.providers.vertex.given import BASE, a_plan, trained

QUESTION: dict[str, Any] = {
    "model": "ignored",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is 3 doubled?"},
    ],
    "temperature": 0,
    "max_tokens": 50,
}
GENERATE = "*:generateContent"
STREAM = "*:streamGenerateContent"
TOOL = {
    "type": "function",
    "function": {
        "name": "double",
        "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}},
    },
}


async def test_a_tuned_model_answers_what_it_learned(provider: VertexProvider) -> None:
    tuned = await trained(provider)

    await provider.probe(tuned)
    answer = await provider.chat(Servable(BASE, tuned.handle), QUESTION)

    assert answer["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "It is 6."},
            "finish_reason": "stop",
        }
    ]
    assert answer["usage"]["total_tokens"] > 0


async def test_a_base_model_is_asked_by_its_name(provider: VertexProvider) -> None:
    answer = await provider.chat(Servable(BASE), QUESTION)

    assert answer["model"] == BASE
    assert "6" not in answer["choices"][0]["message"]["content"]


async def test_an_answer_streams(provider: VertexProvider) -> None:
    tuned = await trained(provider)
    asked = QUESTION | {"stream_options": {"include_usage": True}}

    chunks = [one async for one in provider.chat_stream(Servable(BASE, tuned.handle), asked)]

    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert deltas[0]["role"] == "assistant"
    assert "".join(delta["content"] for delta in deltas) == "It is 6."
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["completion_tokens"] > 0


async def test_a_tuned_model_calls_the_tool_that_it_learned(provider: VertexProvider) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "double", "arguments": '{"n":3}'}}
    example = {
        "messages": [
            {"role": "user", "content": "Double 3."},
            {"role": "assistant", "tool_calls": [call]},
        ],
        "tools": [TOOL],
    }
    tuned = await trained(provider, a_plan(examples=[example] * 10))
    model = Servable(BASE, tuned.handle)
    asked = {"messages": [{"role": "user", "content": "Double 3."}], "tools": [TOOL]}

    answer = await provider.chat(model, asked)
    chunks = [one async for one in provider.chat_stream(model, asked)]

    choice = answer["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "double"
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert chunks[0]["choices"][0]["delta"]["tool_calls"][0]["index"] == 0


@pytest.mark.parametrize("fault", [Cut(pieces=1), Reset(during="answer", pieces=1)], ids=repr)
async def test_a_stream_that_breaks_off_says_so(
    provider: VertexProvider, simulated: SimulatedVertex, fault: Cut | Reset
) -> None:
    tuned = await trained(provider)
    simulated.order(fault, STREAM)

    with pytest.raises(ModelUnavailable):
        async for _ in provider.chat_stream(Servable(BASE, tuned.handle), QUESTION):
            pass


@pytest.mark.parametrize(
    "fault", [Failure(status=503), too_many_requests(), Reset(during="effect")]
)
async def test_a_model_that_cannot_answer_now(
    provider: VertexProvider, simulated: SimulatedVertex, fault: Failure | Reset
) -> None:
    simulated.order(fault, GENERATE)

    with pytest.raises(ModelUnavailable):
        await provider.chat(Servable(BASE), QUESTION)


async def test_a_request_that_google_refuses_is_invalid(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    simulated.order(Failure(status=400, message="temperature is too high"), GENERATE)

    with pytest.raises(Invalid, match="too high"):
        await provider.chat(Servable(BASE), QUESTION)


async def test_a_probe_tells_refusals_from_bad_moments(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    tuned = await trained(provider)
    simulated.order(Failure(status=400), GENERATE)
    simulated.order(too_many_requests(), GENERATE)

    with pytest.raises(Never):
        await provider.probe(tuned)
    with pytest.raises(Later):
        await provider.probe(tuned)
    await provider.probe(tuned)


@pytest.mark.parametrize("slow", [False, True])
async def test_a_tuned_model_is_removed_with_all_its_endpoints(
    provider: VertexProvider, simulated: SimulatedVertex, slow: bool
) -> None:
    simulated.change(slow_operations=slow, epochs=2)
    tuned = await trained(provider)
    other = await trained(provider, a_plan(key="job-02-1"))
    assert len(simulated.endpoints) == 4

    await provider.delete(tuned.handle)
    await provider.delete(tuned.handle)

    assert len(simulated.models) == 1
    assert len(simulated.endpoints) == 2
    assert (await provider.chat(Servable(BASE, other.handle), QUESTION))["choices"]
    with pytest.raises(ModelUnavailable):
        await provider.chat(Servable(BASE, tuned.handle), QUESTION)


async def test_a_removal_that_was_cut_off_can_be_repeated(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    tuned = await trained(provider, a_plan(export_last_checkpoint_only=True))
    simulated.order(Reset(during="effect"), "*:undeployModel")

    with pytest.raises(ModelUnavailable):
        await provider.delete(tuned.handle)
    await provider.delete(tuned.handle)

    assert (simulated.models, simulated.endpoints) == ([], [])
