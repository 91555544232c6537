"""Training files in the bucket: compiled bytes, put once, under the name of their hash."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest

from app.domain.compiling import CompiledExample
from app.domain.datasets import DatasetKind
from app.domain.errors import Later, Never, YourTurn
from app.domain.examples import decode_example
from app.providers.vertex.compiling import VertexCompiler
from app.providers.vertex.provider import VertexProvider
from app.sandbox.frame.faults import Failure, Reset
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.conformance.stage import Lines
from tests.providers.vertex.given import a_plan, chats, connected

UPLOAD = "/upload/storage/v1/b/*"


async def test_what_is_sent_is_what_the_compiler_made(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    await provider.submit(a_plan())

    (address,) = simulated.objects
    sent = simulated.read(address) or b""
    assert sent == await _compiled(provider, chats())
    assert address == f"gs://staging/training/luthier/{hashlib.sha256(sent).hexdigest()}.jsonl"


async def test_the_same_bytes_are_put_once(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    await provider.submit(a_plan())
    await provider.submit(a_plan(key="job-02-1"))

    assert simulated.writes == 1
    assert len(simulated.jobs) == 2


async def test_a_large_file_goes_through_a_session(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    long = [{"messages": [*one["messages"]]} for one in chats(12)]
    for one in long:
        one["messages"][0] = {"role": "system", "content": "word " * 150_000}

    await provider.submit(a_plan(examples=long))

    (address,) = simulated.objects
    pieces = [seen for seen in simulated.requests if seen.method == "PUT"]
    assert len(pieces) == 1
    assert simulated.read(address) == await _compiled(provider, long)


@pytest.mark.parametrize(
    "fault",
    [Failure(status=503), Reset(during="upload"), Reset(during="effect")],
    ids=["503", "upload", "effect"],
)
async def test_an_upload_that_broke_means_later_and_leaves_nothing_twice(
    provider: VertexProvider, simulated: SimulatedVertex, fault: Failure | Reset
) -> None:
    simulated.order(fault, UPLOAD, method="POST")

    with pytest.raises(Later):
        await provider.submit(a_plan())
    await provider.submit(a_plan())

    assert simulated.writes == 1
    assert len(simulated.jobs) == 1


async def test_bytes_that_were_altered_are_not_trained_on(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    await provider.submit(a_plan())
    name = simulated.objects[0].removeprefix("gs://staging/")
    simulated.put("staging", name, b"{}\n")

    with pytest.raises(Never) as said:
        await provider.submit(a_plan(key="job-02-1"))

    assert said.value.code == "staged_file_altered"


async def test_a_bucket_that_is_not_there_is_the_users_turn(simulated: SimulatedVertex) -> None:
    provider = connected(simulated, staging_bucket="gs://elsewhere")

    with pytest.raises(YourTurn, match="elsewhere"):
        await provider.submit(a_plan())

    await provider.close()


async def test_an_example_that_google_would_refuse_is_not_sent(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
    example = {
        "messages": [
            {"role": "user", "content": [image]},
            {"role": "assistant", "content": "A cat."},
        ]
    }

    with pytest.raises(Never) as said:
        await provider.submit(a_plan(examples=[example]))

    assert said.value.code == "dataset_unfit"
    assert simulated.requests == []


async def _compiled(provider: VertexProvider, examples: Sequence[Any]) -> bytes:
    content = b"".join([chunk async for chunk in Lines.of(examples).chunks()])
    lines = [decode_example(line, DatasetKind.CHAT) for line in content.splitlines()]
    limits = provider.base_models()[0].limits
    assert limits is not None
    found: list[CompiledExample] = [*VertexCompiler(limits=limits).compile(lines)]
    return b"".join(one.data + b"\n" for one in found)
