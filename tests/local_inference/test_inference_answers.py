"""What the worker answers, asked through the client."""

import asyncio
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI

from app.providers.local.inference.client import InferenceServer, InferenceWorker
from app.providers.local.inference.errors import InferenceRejected
from app.providers.local.inference.handles import ModelHandle

QUESTIONS = ["a", "What is it?", "the quick brown fox " * 6, "Grüße, 你好", "jumps over " * 15]


def ask(text: str, **options: Any) -> dict[str, Any]:
    message = {"role": "user", "content": text}
    return {"messages": [message], "temperature": 0, "max_tokens": 40} | options


def text_of(completion: dict[str, Any]) -> str:
    return completion["choices"][0]["message"]["content"]


async def test_an_answer_has_openais_shape(worker: InferenceWorker, base: str) -> None:
    completion = await worker.chat(base, ask("Hello", max_tokens=5))

    assert completion["object"] == "chat.completion"
    assert completion["model"] == base
    assert completion["choices"][0]["finish_reason"] == "length"
    assert completion["choices"][0]["message"]["role"] == "assistant"
    usage = completion["usage"]
    assert usage["completion_tokens"] == 5
    assert usage["total_tokens"] == usage["prompt_tokens"] + 5


@pytest.mark.parametrize("question", QUESTIONS)
async def test_streamed_and_plain_answers_agree(
    worker: InferenceWorker, base: str, question: str
) -> None:
    plain = await worker.chat(base, ask(question))
    options = {"include_usage": True}
    chunks = [c async for c in worker.chat_stream(base, ask(question, stream_options=options))]

    said = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks[:-1])
    assert said == text_of(plain)
    assert chunks[-2]["choices"][0]["finish_reason"] == plain["choices"][0]["finish_reason"]
    assert chunks[-1]["usage"] == plain["usage"]


async def test_batched_answers_are_those_of_requests_asked_alone(
    worker: InferenceWorker, base: str
) -> None:
    requests = [ask(text, max_tokens=limit) for text in QUESTIONS for limit in (3, 25, 60)]
    alone = [await worker.chat(base, request) for request in requests]

    together = await asyncio.gather(*(worker.chat(base, request) for request in requests))

    assert [answer["choices"] for answer in together] == [answer["choices"] for answer in alone]
    assert (await worker.health())["largest_batch"] > 1


async def test_a_seed_repeats_a_drawn_answer_even_beside_others(
    worker: InferenceWorker, base: str
) -> None:
    drawn = ask("Tell", temperature=1, top_p=0.9, seed=7)
    alone = await worker.chat(base, drawn)

    first, other, _ = await asyncio.gather(
        worker.chat(base, drawn),
        worker.chat(base, drawn | {"seed": 8}),
        worker.chat(base, ask("a")),
    )

    assert text_of(first) == text_of(alone)
    assert text_of(other) != text_of(alone)


async def test_a_stop_string_ends_the_answer_before_itself(
    worker: InferenceWorker, base: str
) -> None:
    whole = text_of(await worker.chat(base, ask("Hello")))
    stop = whole[10:13]

    completion = await worker.chat(base, ask("Hello", stop=["\x00never", stop]))

    assert text_of(completion) == whole[: whole.index(stop)]
    assert completion["choices"][0]["finish_reason"] == "stop"


async def test_two_adapters_differ_and_share_the_weights_of_their_base(
    worker: InferenceWorker, base: str, adapters: list[str]
) -> None:
    before = await worker.chat(base, ask("Hello"))
    answers = [await worker.chat(adapter, ask("Hello")) for adapter in adapters]
    after = await worker.chat(base, ask("Hello"))

    assert len({text_of(answer) for answer in [before, *answers]}) == 3
    assert text_of(after) == text_of(before)
    loaded = [entry for entry in (await worker.health())["loaded"] if entry["model"] == base]
    assert [adapter["model"] for adapter in loaded[0]["adapters"]] == adapters
    assert all(adapter["bytes"] < loaded[0]["bytes"] / 5 for adapter in loaded[0]["adapters"])


@pytest.mark.parametrize("kind", ["base", "adapter"])
async def test_an_unknown_model_is_not_found(worker: InferenceWorker, kind: str) -> None:
    with pytest.raises(InferenceRejected) as refusal:
        await worker.chat(f"{kind}:/nowhere", ask("Hello"))

    assert (refusal.value.status, refusal.value.code) == (404, "model_not_found")


async def test_a_broken_model_says_why_it_does_not_load(
    worker: InferenceWorker, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "no such type"}')

    with pytest.raises(InferenceRejected, match="no such type") as refusal:
        await worker.chat(f"base:{tmp_path}", ask("Hello"))

    assert (refusal.value.status, refusal.value.code) == (500, "model_failed_to_load")


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_prompt_beyond_the_context_is_refused(
    worker: InferenceWorker, base: str, streamed: bool
) -> None:
    request = ask("word " * 600)

    answer = anext(worker.chat_stream(base, request)) if streamed else worker.chat(base, request)
    with pytest.raises(InferenceRejected) as refusal:
        await answer

    assert (refusal.value.status, refusal.value.code) == (400, "context_length_exceeded")


async def test_an_answer_ends_where_the_context_ends(worker: InferenceWorker, base: str) -> None:
    completion = await worker.chat(base, ask("the " * 480, max_tokens=100))

    assert completion["usage"]["total_tokens"] == 512
    assert completion["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_client_that_leaves_ends_its_answer(
    worker: InferenceWorker, base: str, endless_folder: Path, streamed: bool
) -> None:
    endless, request = str(ModelHandle.base(endless_folder)), ask("Hello", max_tokens=900_000)
    if streamed:
        async with aclosing(worker.chat_stream(endless, request)) as chunks:
            await anext(chunks)
    else:
        # Random weights may happen to say the end of a turn before that.
        with suppress(TimeoutError):
            await asyncio.wait_for(worker.chat(endless, request), 0.5)

    # The one generation thread is free for others, or this would take hours.
    assert text_of(await worker.chat(base, ask("Hello")))


async def test_openais_own_client_understands_the_answers(
    worker: InferenceWorker, socket: Path, base: str
) -> None:
    await worker.endpoint()
    transport = httpx2.AsyncHTTPTransport(uds=str(socket))
    http = httpx2.AsyncClient(transport=transport)
    client = AsyncOpenAI(base_url="http://worker/v1", api_key="none", http_client=http)

    completion = await client.chat.completions.create(
        model=base, messages=[{"role": "user", "content": "Hello"}], temperature=0, max_tokens=9
    )
    models = [model.id async for model in client.models.list()]
    await client.close()

    assert completion.choices[0].message.content
    assert base in models


async def test_a_foreign_server_is_asked_in_the_same_way(foreign_server: str, base: str) -> None:
    server = InferenceServer(foreign_server, api_key="secret")

    completion = await server.chat(base, ask("Hello"))
    chunks = [chunk async for chunk in server.chat_stream(base, ask("Hello"))]
    await server.close()

    said = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks)
    assert said == text_of(completion)
