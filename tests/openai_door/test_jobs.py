"""Fine-tuning jobs at the door."""

import csv
from typing import Any

import httpx
import pytest
from openai import BadRequestError, NotFoundError

from tests.openai_door import given
from tests.openai_door.conftest import Desk


async def test_a_job_goes_from_its_file_to_its_model(desk: Desk) -> None:
    file, held_out = await given.file(desk), await given.file(desk, name="held-out.jsonl")
    begun = await given.job(
        desk,
        training_file=file.id,
        validation_file=held_out.id,
        suffix="echo",
        seed=7,
        metadata={"team": "care"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
    )
    assert begun.status == "queued"
    assert (begun.training_file, begun.validation_file) == (file.id, held_out.id)
    assert (begun.model, begun.seed, begun.metadata) == (desk.model, 7, {"team": "care"})
    assert begun.hyperparameters.n_epochs == 2

    await desk.end(begun.id)

    done = await desk.openai.fine_tuning.jobs.retrieve(begun.id)
    assert done.status == "succeeded"
    assert (done.fine_tuned_model or "").startswith(f"ft:{desk.model}:luthier:echo:")
    assert (done.trained_tokens or 0) > 0
    assert done.finished_at


async def test_its_results_are_a_file_of_what_was_measured(desk: Desk) -> None:
    done = await given.ended(desk)

    [file_id] = done.result_files
    file = await desk.openai.files.retrieve(file_id)
    content = (await desk.openai.files.content(file_id)).read()
    rows = list(csv.DictReader(content.decode().splitlines()))

    assert (file.purpose, file.bytes) == ("fine-tune-results", len(content))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert float(rows[-1]["train_loss"]) == 0.0
    await desk.openai.files.delete(file_id)
    assert (await desk.openai.fine_tuning.jobs.retrieve(done.id)).result_files == []


async def test_events_are_told_newest_first(desk: Desk) -> None:
    done = await given.ended(desk)

    pages = desk.openai.fine_tuning.jobs.list_events(done.id, limit=2)
    events = [event async for event in pages]

    assert len({event.id for event in events}) == len(events)
    assert events[0].message == "The job has successfully completed"
    assert events[-1].message == f"Created fine-tuning job: {done.id}"
    assert {"train_loss", "step"} <= {
        name for event in events if event.type == "metrics" for name in _names(event.data)
    }


async def test_jobs_are_found_by_their_metadata(desk: Desk) -> None:
    file = (await given.file(desk)).id
    labels = ({"team": "care", "run": "a:b c"}, {"team": "care"}, None)
    made = [(await given.job(desk, training_file=file, metadata=each)).id for each in labels]
    jobs = desk.openai.fine_tuning.jobs

    care = [job.id async for job in jobs.list(metadata={"team": "care"}, limit=1)]
    both = [job.id async for job in jobs.list(metadata={"team": "care", "run": "a:b c"})]
    bare = [job.id async for job in jobs.list(extra_query={"metadata": "null"})]

    assert (care, both, bare) == ([made[1], made[0]], [made[0]], [made[2]])
    assert [job.id async for job in jobs.list(limit=2)] == made[::-1]


@pytest.mark.parametrize("backend_name", ["openai"])
async def test_a_job_is_paused_resumed_and_cancelled(desk: Desk) -> None:
    begun = await given.job(desk)
    remote = (await desk.submit(begun.id)).remote
    assert remote is not None
    desk.backend.begin(remote)
    jobs = desk.openai.fine_tuning.jobs

    shown: list[str] = []
    for wish in (jobs.pause, jobs.resume, jobs.cancel):
        await wish(begun.id)
        await desk.steer(begun.id)
        shown.append((await jobs.retrieve(begun.id)).status)

    assert shown == ["queued", "running", "cancelled"]
    with pytest.raises(BadRequestError) as refused:
        await jobs.cancel(begun.id)
    assert refused.value.code == "job_finished"


async def test_preferences_are_learned_by_dpo(desk: Desk) -> None:
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": "auto", "n_epochs": 3}}}

    job = await given.job(desk, given.preferences(), method=method)

    assert job.method is not None
    assert job.method.type == "dpo"
    assert job.method.dpo is not None
    assert job.hyperparameters.n_epochs is None


async def test_hyperparameters_may_stand_in_their_older_place(desk: Desk) -> None:
    job = await given.job(desk, hyperparameters={"n_epochs": 4, "batch_size": "auto"})

    assert job.method is not None
    assert job.method.supervised is not None
    assert job.method.supervised.hyperparameters is not None
    assert job.method.supervised.hyperparameters.n_epochs == 4
    assert job.hyperparameters.batch_size == "auto"


async def test_a_tuned_model_is_continued(desk: Desk) -> None:
    first = await given.tuned(desk)

    job = await given.job(desk, model=first)

    assert job.model == first


async def test_a_job_that_was_made_elsewhere_is_shown_too(desk: Desk) -> None:
    await given.file(desk, name="echo.jsonl")
    body = {"provider": desk.name, "base_model": desk.backend.base_model, "dataset": "echo"}
    async with httpx.AsyncClient(headers={"Authorization": "Bearer our-key"}, timeout=60) as native:
        made = await native.post(desk.url.replace("/openai/v1", "/jobs"), json=body)

    [job] = (await desk.openai.fine_tuning.jobs.list()).data

    assert job.id.removeprefix("ftjob-") == made.json()["id"].removeprefix("job_")
    assert job.training_file == made.json()["dataset"]["id"]


async def test_the_same_key_gives_the_same_job(desk: Desk) -> None:
    file = (await given.file(desk)).id
    key = {"Idempotency-Key": "once"}

    first = await given.job(desk, training_file=file, extra_headers=key)
    again = await given.job(desk, training_file=file, extra_headers=key)

    assert first.id == again.id


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"training_file": "file-of-nobody"}, "training_file"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "x"}}]}, "integrations"),
        ({"hyperparameters": {"n_epochs": 99}}, "method.hyperparameters.n_epochs"),
        ({"extra_body": {"trainingType": "Standard"}}, "trainingType"),
        ({"method": {"type": "distillation"}}, "method.type"),
        ({"seed": -1}, "seed"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_name(
    desk: Desk, wrong: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        await given.job(desk, **wrong)

    assert refused.value.param == param


async def test_an_unknown_job_is_not_found(desk: Desk) -> None:
    jobs = desk.openai.fine_tuning.jobs

    for name in ("ftjob-none", "ftjob-" + "0" * 26):
        with pytest.raises(NotFoundError) as refused:
            await jobs.retrieve(name)
        assert refused.value.code == "fine_tune_not_found"


def _names(data: object) -> list[str]:
    assert isinstance(data, dict)
    return [str(name) for name in data]  # pyright: ignore[reportUnknownVariableType]
