"""The same program before every provider: from a file to a model that answers."""

from typing import Any

import pytest
from openai import BadRequestError, NotFoundError

from app.domain.provider import Operation
from tests.openai_door import given
from tests.openai_door.backends import BACKENDS
from tests.openai_door.conftest import Desk

pytestmark = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)

ASKED: Any = [{"role": "user", "content": "say 3"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
WITH_USAGE: Any = {"include_usage": True}
ANSWERING = ["local", "openai", "vertex"]
"""At Azure a tuned model answers once it is deployed, which OpenAI's API cannot ask for."""


@pytest.mark.parametrize("backend_name", BACKENDS)
async def test_a_job_is_created_watched_and_finished(desk: Desk) -> None:
    done = await given.ended(desk, suffix="echo", metadata={"team": "care"}, seed=3)

    jobs = desk.openai.fine_tuning.jobs
    assert done.status == "succeeded"
    assert (await desk.openai.models.retrieve(str(done.fine_tuned_model))).owned_by == "luthier"
    assert [job.id async for job in jobs.list(metadata={"team": "care"})] == [done.id]
    assert [event.level async for event in jobs.list_events(done.id)]
    _ = [one.step_number async for one in jobs.checkpoints.list(done.id)]
    for file_id in done.result_files:
        assert (await desk.openai.files.content(file_id)).read().startswith(b"step,train_loss")
    tuned, models = str(done.fine_tuned_model), desk.openai.models
    assert {tuned, desk.model} <= {model.id async for model in models.list()}
    assert (await models.delete(tuned)).deleted
    with pytest.raises(NotFoundError):
        await models.retrieve(tuned)


@pytest.mark.parametrize("backend_name", BACKENDS)
async def test_files_come_whole_or_in_parts_and_go_again(desk: Desk) -> None:
    files, uploads = desk.openai.files, desk.openai.uploads
    content = given.lines()
    whole = await given.file(desk, content)
    upload = await uploads.create(
        bytes=len(content),
        filename="parts.jsonl",
        mime_type="text/jsonl",
        purpose="fine-tune",
    )
    halves = (content[:100], content[100:])
    parts = [await uploads.parts.create(upload.id, data=half) for half in halves]
    done = await uploads.complete(upload.id, part_ids=[part.id for part in parts])
    left = await uploads.create(
        bytes=10, filename="left.jsonl", mime_type="text/jsonl", purpose="fine-tune"
    )

    assert (await uploads.cancel(left.id)).status == "cancelled"
    assert done.file is not None
    assert (await files.content(done.file.id)).read() == content
    assert {file.id async for file in files.list()} == {whole.id, done.file.id}
    assert (await files.retrieve(whole.id)).status == "processed"
    assert (await files.delete(done.file.id)).deleted


@pytest.mark.parametrize("backend_name", BACKENDS)
async def test_a_job_is_steered_as_far_as_its_provider_goes(desk: Desk) -> None:
    begun, jobs = await given.job(desk), desk.openai.fine_tuning.jobs

    for steer, operation in ((jobs.pause, Operation.PAUSE), (jobs.resume, Operation.RESUME)):
        if operation in desk.backend.provider.spec.operations:
            assert (await steer(begun.id)).id == begun.id
            continue
        with pytest.raises(BadRequestError) as refused:
            await steer(begun.id)
        assert refused.value.code == "operation_not_supported"
    await jobs.cancel(begun.id)
    await desk.submit(begun.id)

    assert (await jobs.retrieve(begun.id)).status == "cancelled"


@pytest.mark.parametrize("backend_name", ANSWERING)
async def test_the_model_answers_at_once_and_in_pieces(desk: Desk) -> None:
    tuned = await given.tuned(desk)
    ask = desk.openai.chat.completions.create

    greedy: Any = {"model": tuned, "messages": ASKED, "max_tokens": 20, "temperature": 0}
    whole = await ask(**greedy, tools=[TOOL])
    stream = await ask(**greedy, tools=[TOOL], stream=True, stream_options=WITH_USAGE)
    chunks = [chunk async for chunk in stream]

    assert whole.model == tuned
    assert whole.usage is not None
    said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert said == whole.choices[0].message.content
    assert chunks[-1].usage is not None


@pytest.mark.parametrize("backend_name", ["openai"])
async def test_a_bare_name_is_the_one_provider_s_that_lists_it(desk: Desk) -> None:
    job = await given.job(desk, model=desk.backend.base_model)

    assert job.model == desk.model


@pytest.mark.parametrize("backend_name", ["openai"])
async def test_a_checkpoint_is_told_with_its_metrics(desk: Desk) -> None:
    done = await given.ended(desk, hyperparameters={"n_epochs": 3})

    page = await desk.openai.fine_tuning.jobs.checkpoints.list(done.id, limit=1)

    assert page.has_more
    assert page.data[0].fine_tuning_job_id == done.id
    assert page.data[0].metrics.train_loss is not None
    following = await page.get_next_page()
    assert following.data[0].step_number < page.data[0].step_number
    checkpoint = following.data[0].fine_tuned_model_checkpoint
    said = await desk.openai.chat.completions.create(model=checkpoint, messages=ASKED)
    assert said.model == checkpoint
