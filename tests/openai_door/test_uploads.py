"""Large files in parts."""

import asyncio
import hashlib

import pytest
from openai import BadRequestError
from openai.types import Upload

from app.services.uploads import Uploads
from tests.openai_door import given
from tests.openai_door.conftest import Desk


async def test_a_file_comes_in_parts(desk: Desk) -> None:
    content = given.lines()
    upload = await desk.openai.uploads.upload_file_chunked(
        file=content,
        filename="large.jsonl",
        bytes=len(content),
        mime_type="text/jsonl",
        purpose="fine-tune",
        part_size=100,
        md5=hashlib.md5(content).hexdigest(),
    )

    assert upload.status == "completed"
    assert upload.file is not None
    assert (await desk.openai.files.content(upload.file.id)).read() == content
    assert (await given.job(desk, training_file=upload.file.id)).status == "queued"


async def test_completing_again_gives_the_same_file(desk: Desk) -> None:
    upload = await _begun(desk, len(given.lines()))
    part = await desk.openai.uploads.parts.create(upload.id, data=given.lines())

    first = await desk.openai.uploads.complete(upload.id, part_ids=[part.id])
    again = await desk.openai.uploads.complete(upload.id, part_ids=[part.id])

    assert first == again
    with pytest.raises(BadRequestError) as closed:
        await desk.openai.uploads.parts.create(upload.id, data=b"more")
    assert closed.value.code == "upload_closed"


async def test_completing_at_once_gives_one_file(desk: Desk) -> None:
    upload = await _begun(desk, len(given.lines()))
    part = await desk.openai.uploads.parts.create(upload.id, data=given.lines())

    ended = await asyncio.gather(
        *(desk.openai.uploads.complete(upload.id, part_ids=[part.id]) for _ in range(5))
    )

    assert all(one == ended[0] for one in ended)
    assert len((await desk.openai.files.list()).data) == 1


async def test_what_is_not_as_announced_is_refused(desk: Desk) -> None:
    upload = await _begun(desk, 4)
    part = await desk.openai.uploads.parts.create(upload.id, data=b"four")
    complete = desk.openai.uploads.complete

    for wrong in (["part_x"], [part.id] * 2):
        with pytest.raises(BadRequestError):
            await complete(upload.id, part_ids=wrong)
    with pytest.raises(BadRequestError) as refused:
        await complete(upload.id, part_ids=[part.id], md5="0" * 32)
    assert refused.value.code == "upload_unfit"


async def test_a_cancelled_upload_leaves_nothing(desk: Desk) -> None:
    upload = await _begun(desk, 4)
    await desk.openai.uploads.parts.create(upload.id, data=b"four")

    assert (await desk.openai.uploads.cancel(upload.id)).status == "cancelled"

    blobs = desk.house.settings.data_dir / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file()] == []


async def test_a_part_may_be_larger_than_any_other_body(desk: Desk) -> None:
    size = 17 * 1024 * 1024
    upload = await _begun(desk, size)

    part = await desk.openai.uploads.parts.create(upload.id, data=b" " * size)

    assert part.upload_id == upload.id


async def test_an_upload_has_an_hour(desk: Desk) -> None:
    upload = await _begun(desk, 4)
    await desk.openai.uploads.parts.create(upload.id, data=b"four")
    house, use = desk.house, desk.house.services
    later = Uploads(
        house.database,
        house.blobs,
        use.files,
        use.receiving,
        clock=lambda: (upload.expires_at + 1) * 1000,
    )

    await later.begin("another.jsonl", 4)

    with pytest.raises(BadRequestError) as closed:
        await desk.openai.uploads.cancel(upload.id)
    assert "expired" in closed.value.message
    blobs = house.settings.data_dir / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file()] == []


async def _begun(desk: Desk, size: int) -> Upload:
    return await desk.openai.uploads.create(
        filename="parts.jsonl", bytes=size, mime_type="text/jsonl", purpose="fine-tune"
    )
