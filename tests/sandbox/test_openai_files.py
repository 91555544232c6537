"""Files and uploads at the simulated OpenAI."""

import hashlib

import pytest
from openai import APIStatusError, AsyncOpenAI, BadRequestError, NotFoundError

from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.sandbox import given


async def test_a_file_is_kept_read_and_deleted(openai: AsyncOpenAI) -> None:
    file = await openai.files.create(
        file=("train.jsonl", given.supervised()),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )

    content = await openai.files.content(file.id)
    listed = [each.id async for each in openai.files.list(purpose="fine-tune")]
    deleted = await openai.files.delete(file.id)

    assert content.content == given.supervised()
    assert file.expires_at == file.created_at + 3600
    assert (listed, deleted.deleted) == ([file.id], True)
    with pytest.raises(NotFoundError):
        await openai.files.retrieve(file.id)


async def test_a_file_takes_its_time(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.change(file_looks=2)
    file_id = await given.a_file(openai)

    with pytest.raises(BadRequestError, match="still being processed"):
        await openai.fine_tuning.jobs.create(model=given.BASE, training_file=file_id)

    looks = [(await openai.files.retrieve(file_id)).status for _ in range(2)]
    assert looks == ["uploaded", "processed"]


async def test_a_broken_line_is_named(openai: AsyncOpenAI) -> None:
    file_id = await given.a_file(openai, given.supervised(2) + b"{broken\n")

    file = await openai.files.retrieve(file_id)

    assert (file.status, file.status_details) == (
        "error",
        "Invalid file format. Line 3 is not valid JSON.",
    )


async def test_a_file_can_be_too_large(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.change(largest_file=100)

    with pytest.raises(APIStatusError) as refusal:
        await given.a_file(openai)

    assert refusal.value.status_code == 413


async def test_a_file_expires(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    file = await openai.files.create(
        file=("train.jsonl", given.supervised()),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )

    simulated.pass_time(3601)

    with pytest.raises(NotFoundError):
        await openai.files.retrieve(file.id)


async def test_a_file_comes_in_parts(openai: AsyncOpenAI) -> None:
    content = given.supervised(50)

    upload = await openai.uploads.upload_file_chunked(
        file=content,
        filename="train.jsonl",
        bytes=len(content),
        mime_type="text/jsonl",
        purpose="fine-tune",
        part_size=1000,
        md5=hashlib.md5(content).hexdigest(),
    )

    assert upload.file is not None
    assert (await openai.files.content(upload.file.id)).content == content


async def test_parts_must_make_the_announced_size(openai: AsyncOpenAI) -> None:
    upload = await openai.uploads.create(
        bytes=10, filename="x.jsonl", mime_type="text/jsonl", purpose="fine-tune"
    )
    part = await openai.uploads.parts.create(upload.id, data=b"short")

    with pytest.raises(BadRequestError, match="Expected 10 bytes"):
        await openai.uploads.complete(upload.id, part_ids=[part.id])

    assert (await openai.uploads.cancel(upload.id)).status == "cancelled"
