"""All of OpenAI's operations on files, uploads, fine-tuning, models and chats, by its own SDK."""

from typing import Any

import pytest

from tests.openai_door import given
from tests.openai_door.conftest import Desk
from tests.openai_door.heard import CONTRACT

ROOTS = ("files", "uploads", "fine_tuning", "models", "chat")

NOT_HERE = ("/fine_tuning/alpha/graders", "/fine_tuning/checkpoints")
"""What docs/openai.md names as not there."""


@pytest.mark.skipif(not CONTRACT.exists(), reason="OpenAI's contract is not beside the repository")
@pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)
@pytest.mark.parametrize("backend_name", ["openai"])
async def test_every_operation_of_the_contract_is_here(desk: Desk) -> None:
    files, uploads, jobs = desk.openai.files, desk.openai.uploads, desk.openai.fine_tuning.jobs
    await files.list()
    file = await given.file(desk)
    await files.retrieve(file.id)
    await files.content(file.id)
    started: Any = {"filename": "a.jsonl", "mime_type": "text/jsonl", "purpose": "fine-tune"}
    content = given.lines(11)
    upload = await uploads.create(bytes=len(content), **started)
    part = await uploads.parts.create(upload.id, data=content)
    await uploads.complete(upload.id, part_ids=[part.id])
    left = await uploads.create(bytes=1, **started)
    await uploads.cancel(left.id)

    dropped = await given.job(desk, training_file=file.id)
    await desk.submit(dropped.id)
    await jobs.pause(dropped.id)
    await desk.steer(dropped.id)
    await jobs.resume(dropped.id)
    await desk.steer(dropped.id)
    await jobs.cancel(dropped.id)
    await desk.steer(dropped.id)
    tuned = await given.tuned(desk)
    await jobs.list()
    await jobs.list_events(dropped.id)
    await jobs.checkpoints.list(dropped.id)
    await desk.openai.models.list()
    await desk.openai.models.retrieve(tuned)
    await desk.openai.chat.completions.create(
        model=tuned, messages=[{"role": "user", "content": "say 3"}]
    )
    await desk.openai.models.delete(tuned)
    await files.delete(file.id)

    described = {
        operation
        for operation in desk.heard.described
        if operation[1].split("/")[1] in ROOTS and not operation[1].startswith(NOT_HERE)
    }
    assert desk.heard.visited == described
