"""What lies in a project, whoever put it there."""

import json
from typing import Any

import pytest

from app.domain.errors import Later
from app.domain.provider import Importing, RemoteState
from app.providers.vertex.provider import VertexProvider
from app.sandbox.frame.faults import Reset
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.providers.vertex.given import BASE, a_plan, at_the_end, chats, preferences, trained

FAR_AHEAD = 2**42


async def rows(provider: VertexProvider, address: str) -> list[Any]:
    """A file's examples."""
    content = b"".join([piece async for piece in provider.file_content(address)])
    return [json.loads(line) for line in content.splitlines()]


def test_it_can_be_imported_from(provider: VertexProvider) -> None:
    assert isinstance(provider, Importing)


async def test_jobs_come_with_their_files_and_models(provider: VertexProvider) -> None:
    made = await trained(provider, a_plan(validation=chats(13), epochs=2, adapter_size=4))

    found = await provider.inventory(0)

    (job,) = found.jobs
    assert (job.state, job.base_model, job.name) == (RemoteState.SUCCEEDED, BASE, "doubling")
    assert (job.method.type, job.method.hyperparameters) == ("sft", made.effective)
    assert {job.training_file, job.validation_file} == {file.id for file in found.files}
    (model,) = found.models
    assert model.artifact == job.artifact == made.handle
    assert (model.name, model.base_model) == ("doubling", BASE)


async def test_preferences_are_listed_too_the_oldest_first(provider: VertexProvider) -> None:
    for number, method in enumerate(("sft", "dpo")):
        await provider.submit(a_plan(method, key=f"job-{number}-1"))

    found = await provider.inventory(0)

    assert [(job.method.type, job.key) for job in found.jobs] == [
        ("sft", "job-0-1"),
        ("dpo", "job-1-1"),
    ]
    assert found.models == []


@pytest.mark.parametrize(("method", "examples"), [("sft", chats()), ("dpo", preferences())])
async def test_a_file_comes_back_as_it_was(
    provider: VertexProvider, method: str, examples: list[Any]
) -> None:
    await provider.submit(a_plan(method, examples=examples))

    (file,) = (await provider.inventory(0)).files

    assert await rows(provider, file.id) == examples


async def test_a_continued_job_has_its_parents_base(provider: VertexProvider) -> None:
    made = await trained(provider)
    again = await provider.submit(a_plan(key="job-02-1", parent=made.handle))
    await at_the_end(provider, again.id)

    found = await provider.inventory(0)

    assert [job.base_model for job in found.jobs] == [BASE, BASE]
    assert [model.base_model for model in found.models] == [BASE, BASE]


async def test_a_deleted_model_is_not_found(provider: VertexProvider) -> None:
    made = await trained(provider)
    await provider.delete(made.handle)

    found = await provider.inventory(0)

    assert [job.artifact for job in found.jobs] == [None]
    assert found.models == []


async def test_a_bucket_that_cannot_be_read_is_left_out(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    await provider.submit(a_plan())
    simulated.change(buckets=set())

    found = await provider.inventory(0)

    assert (len(found.jobs), found.files) == (1, [])


async def test_what_is_older_is_not_asked_for(provider: VertexProvider) -> None:
    await trained(provider)

    found = await provider.inventory(FAR_AHEAD)

    assert (found.jobs, found.files, found.models) == ([], [], [])


async def test_looking_changes_nothing(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    await trained(provider)
    before = len(simulated.requests)

    await provider.inventory(0)

    assert {seen.method for seen in simulated.requests[before:]} == {"GET"}


async def test_a_download_that_broke_can_be_tried_again(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    await provider.submit(a_plan())
    (file,) = (await provider.inventory(0)).files
    simulated.order(Reset(during="answer"), "/download/storage/*")

    with pytest.raises(Later):
        await rows(provider, file.id)

    assert await rows(provider, file.id) == chats()
