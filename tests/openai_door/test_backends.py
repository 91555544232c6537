"""The same program before every provider: from a file to a model that answers."""

from typing import Any

import pytest

from tests.openai_door import given
from tests.openai_door.backends import BACKENDS
from tests.openai_door.conftest import Desk

pytestmark = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)

ASKED: Any = [{"role": "user", "content": "say 3"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
ANSWERING = ["openai", "vertex"]
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


@pytest.mark.parametrize("backend_name", ANSWERING)
async def test_the_model_answers_at_once_and_in_pieces(desk: Desk) -> None:
    tuned = await given.tuned(desk)
    ask = desk.openai.chat.completions.create

    whole = await ask(model=tuned, messages=ASKED, max_tokens=20, tools=[TOOL])
    stream = await ask(
        model=tuned, messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
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
