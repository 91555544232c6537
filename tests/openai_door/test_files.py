"""Files at the door: kept as they come, checked as they come."""

from collections.abc import AsyncIterator

import pytest
from openai import BadRequestError, NotFoundError

from tests.openai_door import given
from tests.openai_door.conftest import Desk


async def test_a_file_is_kept_as_it_came(desk: Desk) -> None:
    sent = given.lines()
    file = await given.file(desk, sent)

    assert (file.status, file.filename, file.bytes) == ("processed", "train.jsonl", len(sent))
    assert (await desk.openai.files.content(file.id)).read() == sent
    assert await desk.openai.files.wait_for_processing(file.id) == file


async def test_its_rows_are_a_version_of_the_dataset_of_its_name(desk: Desk) -> None:
    await given.file(desk, name="Support tickets.v2.jsonl")

    dataset = await desk.house.services.datasets.get("Support-tickets@1")
    assert dataset.examples == 12


async def test_a_file_with_wrong_rows_is_there_and_says_which(desk: Desk) -> None:
    sent = given.lines(2) + b'{"messages": []}\nnonsense\n'
    file = await given.file(desk, sent)

    assert file.status == "error"
    assert "Line 3: " in (file.status_details or "")
    assert "Line 4: " in (file.status_details or "")
    assert (await desk.openai.files.content(file.id)).read() == sent
    with pytest.raises(BadRequestError) as refused:
        await given.job(desk, training_file=file.id)
    assert refused.value.param == "training_file"


async def test_files_are_listed_page_by_page(desk: Desk) -> None:
    made = [(await given.file(desk, given.lines(count))).id for count in (10, 11, 12)]

    listed = [file.id async for file in desk.openai.files.list(limit=2)]
    oldest = await desk.openai.files.list(limit=1, order="asc", purpose="fine-tune")

    assert listed == made[::-1]
    assert [file.id for file in oldest.data] == made[:1]
    assert oldest.has_more
    assert (await desk.openai.files.list(purpose="batch")).data == []


async def test_a_deleted_file_takes_its_dataset_along(desk: Desk) -> None:
    first, second = await given.file(desk), await given.file(desk)

    assert (await desk.openai.files.delete(first.id)).deleted
    assert (await desk.openai.files.content(second.id)).read() == given.lines()
    await desk.openai.files.delete(second.id)

    assert await desk.house.services.datasets.list_page(name=None, before=None, limit=9) == []
    with pytest.raises(NotFoundError):
        await desk.openai.files.retrieve(first.id)


async def test_a_dataset_that_was_there_before_stays(desk: Desk) -> None:
    await given.file(desk, name="mine.jsonl")
    [dataset] = await desk.house.services.datasets.list_page(name="mine", before=None, limit=1)
    async with desk.house.services.datasets.take_in(_pieces(given.lines(10))) as draft:
        native = (await desk.house.services.datasets.keep(draft, "native")).thing

    file = await given.file(desk, given.lines(10), name="native.jsonl")
    await desk.openai.files.delete(file.id)

    assert await desk.house.services.datasets.get(native.id) == native
    assert dataset.id != native.id


async def test_a_file_that_a_job_needs_stays(desk: Desk) -> None:
    file = await given.file(desk)
    await given.job(desk, training_file=file.id)

    with pytest.raises(BadRequestError) as refused:
        await desk.openai.files.delete(file.id)

    assert refused.value.code == "dataset_in_use"


async def test_the_same_key_gives_the_same_file(desk: Desk) -> None:
    key = {"Idempotency-Key": "once"}

    first = await given.file(desk, extra_headers=key)
    again = await given.file(desk, extra_headers=key)

    assert first == again
    with pytest.raises(BadRequestError) as refused:
        await given.file(desk, given.lines(20), extra_headers=key)
    assert refused.value.code == "idempotency_key_reused"


async def test_what_would_not_be_honoured_is_refused(desk: Desk) -> None:
    with pytest.raises(BadRequestError) as purpose:
        await desk.openai.files.create(file=b"{}", purpose="batch")
    with pytest.raises(BadRequestError) as expiry:
        await given.file(desk, expires_after={"anchor": "created_at", "seconds": 3600})

    assert (purpose.value.param, expiry.value.param) == ("purpose", "expires_after")


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content
