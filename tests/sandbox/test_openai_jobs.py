"""The life of a fine-tuning job at the simulated OpenAI, through the real SDK."""

import csv
import io
from typing import Any

import pytest
from openai import APIStatusError, AsyncOpenAI, BadRequestError, ConflictError, NotFoundError

from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.sandbox import given


async def test_a_job_goes_all_the_way(openai: AsyncOpenAI) -> None:
    job = await given.a_job(openai, suffix="doubler", seed=7, metadata={"run": "1"})

    looks = [await openai.fine_tuning.jobs.retrieve(job.id) for _ in range(5)]

    assert job.status == "validating_files"
    assert [look.status for look in looks] == ["queued", *["running"] * 3, "succeeded"]
    assert looks[1].estimated_finish is not None
    done = looks[-1]
    assert done.fine_tuned_model is not None
    assert done.fine_tuned_model.startswith(f"ft:{given.BASE}:sandbox:doubler:")
    assert (done.seed, done.metadata) == (7, {"run": "1"})
    assert (done.trained_tokens or 0) > 0
    assert done.hyperparameters.n_epochs == 3


async def test_the_results_are_one_line_for_each_step(openai: AsyncOpenAI) -> None:
    job = await given.a_finished_job(openai)

    content = await openai.files.content(job.result_files[0])

    rows = list(csv.DictReader(io.StringIO(content.text)))
    assert len(rows) == 36
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])


async def test_events_come_in_pages_newest_first(openai: AsyncOpenAI) -> None:
    job = await given.a_finished_job(openai)

    first = await openai.fine_tuning.jobs.list_events(job.id, limit=2)
    everything = [event async for event in openai.fine_tuning.jobs.list_events(job.id, limit=5)]

    assert first.data[0].message == "The job has successfully completed"
    assert everything[-1].message == f"Created fine-tuning job: {job.id}"
    assert len({event.id for event in everything}) == len(everything)
    assert sum(event.type == "metrics" for event in everything) == 36


async def test_the_last_epochs_leave_checkpoints(openai: AsyncOpenAI) -> None:
    validation_file = await given.a_file(openai)
    job = await given.a_finished_job(openai, validation_file=validation_file)

    listed = await openai.fine_tuning.jobs.checkpoints.list(job.id)

    assert [checkpoint.step_number for checkpoint in listed.data] == [36, 24, 12]
    assert listed.data[0].fine_tuned_model_checkpoint == job.fine_tuned_model
    assert listed.data[1].fine_tuned_model_checkpoint == f"{job.fine_tuned_model}:ckpt-step-24"
    assert listed.data[0].metrics.full_valid_loss is not None


async def test_a_preference_job_teaches_the_preferred(openai: AsyncOpenAI) -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "n_epochs": 1}}}
    job = await given.a_finished_job(openai, given.preferences(), method=method)

    assert job.status == "succeeded"
    assert job.method is not None
    assert job.method.dpo is not None
    assert job.method.dpo.hyperparameters is not None
    assert job.method.dpo.hyperparameters.beta == 0.2


async def test_a_reinforcement_measures_rewards(openai: AsyncOpenAI) -> None:
    method = {"type": "reinforcement", "reinforcement": {"grader": given.GRADER}}
    job = await given.a_finished_job(openai, given.tasks(), model=given.REASONER, method=method)

    events = await openai.fine_tuning.jobs.list_events(job.id, limit=100)

    assert job.status == "succeeded"
    measured = [event.data for event in events.data if event.type == "metrics"]
    assert all("train_mean_reward" in str(data) for data in measured)


async def test_a_job_is_paused_and_resumed(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.change(pauses_slowly=True)
    job = await given.a_job(openai)
    await given.looked_at(openai, job.id, 2)
    jobs = openai.fine_tuning.jobs

    seen = [
        (await jobs.pause(job.id)).status,
        *[(await jobs.retrieve(job.id)).status for _ in range(2)],
        (await jobs.resume(job.id)).status,
        *[(await jobs.retrieve(job.id)).status for _ in range(4)],
    ]

    assert seen == ["pausing", "paused", "paused", "resuming", *["running"] * 3, "succeeded"]


async def test_what_is_queued_cannot_be_paused(openai: AsyncOpenAI) -> None:
    job = await given.a_job(openai)

    with pytest.raises(BadRequestError):
        await openai.fine_tuning.jobs.pause(job.id)


async def test_a_job_is_cancelled_once(openai: AsyncOpenAI) -> None:
    job = await given.a_job(openai)

    cancelled = await openai.fine_tuning.jobs.cancel(job.id)

    assert cancelled.status == "cancelled"
    with pytest.raises(ConflictError):
        await openai.fine_tuning.jobs.cancel(job.id)


async def test_jobs_are_found_by_their_metadata(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    wanted = await given.a_job(openai, metadata={"key": "a", "team": "x"})
    await given.a_job(openai, metadata={"key": "7"})
    await given.a_job(openai)

    found = await openai.fine_tuning.jobs.list(metadata={"key": "a"})
    numbered = await openai.fine_tuning.jobs.list(metadata={"key": "7"})
    every = [job.id async for job in openai.fine_tuning.jobs.list(limit=1)]

    assert [job.id for job in found.data] == [wanted.id]
    assert len(numbered.data) == 1
    assert (len(every), every[-1]) == (3, wanted.id)
    assert simulated.creations("key") == {"a": 1, "7": 1}


async def test_tuning_goes_on_from_a_tuned_model(openai: AsyncOpenAI) -> None:
    first = await given.a_finished_job(openai)

    second = await given.a_finished_job(openai, model=first.fine_tuned_model)

    assert second.fine_tuned_model is not None
    assert second.fine_tuned_model.startswith(f"ft:{given.BASE}:")


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (given.supervised(9), "invalid_n_examples", "has 9 example(s)"),
        (given.preferences(), "invalid_training_file", "Line 1, messages: Field required"),
        (given.supervised() + b'{"messages": [], "x": 1}\n', "invalid_training_file", "Line 13"),
    ],
)
async def test_a_bad_file_fails_the_job(
    openai: AsyncOpenAI, content: bytes, code: str, message: str
) -> None:
    job = await given.a_job(openai, content)

    failed = await given.looked_at(openai, job.id, 1)

    assert failed.status == "failed"
    assert failed.error is not None
    assert (failed.error.code, failed.error.param) == (code, "training_file")
    assert message in failed.error.message


async def test_a_job_fails_at_the_vendors(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    job = await given.a_job(openai)

    simulated.fail(job.id, code="server_error", message="A node was lost.")

    failed = await openai.fine_tuning.jobs.retrieve(job.id)
    assert failed.error is not None
    assert (failed.status, failed.error.message) == ("failed", "A node was lost.")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"model": "gpt-2"}, NotFoundError),
        ({"training_file": "file-none"}, BadRequestError),
        ({"model": given.REASONER}, BadRequestError),
        ({"metadata": {"key": "x" * 513}}, BadRequestError),
    ],
)
async def test_what_cannot_be_tuned_is_refused(
    openai: AsyncOpenAI,
    simulated: SimulatedOpenAI,
    asked: dict[str, Any],
    error: type[APIStatusError],
) -> None:
    with pytest.raises(error):
        await given.a_job(openai, **asked)

    assert simulated.jobs == []


async def test_jobs_move_with_the_clock(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.change(pace={"by": "clock", "seconds": 60})
    job = await given.a_job(openai)

    simulated.pass_time(120)
    halfway = await openai.fine_tuning.jobs.retrieve(job.id)
    simulated.pass_time(180)
    done = await openai.fine_tuning.jobs.retrieve(job.id)

    assert (halfway.status, done.status) == ("running", "succeeded")
