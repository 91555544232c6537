"""Looks at a job: measures, checkpoints, pauses, and models that answer badly."""

from typing import Any

import pytest

from app.domain.errors import Invalid, Later, ModelNotFound, ModelUnavailable, Never, YourTurn
from app.domain.jobs import Remote
from app.domain.provider import Artifact, RemoteState, Servable
from app.providers.openai.provider import OpenAIProvider
from app.providers.openai_wire.refusals import Unanswered
from app.sandbox.frame.faults import Cut, Failure, Reset, too_many_requests
from tests.conformance.openai_stage import OpenAIStage
from tests.conformance.stage import chats, plan, question

CHAT = "/v1/chat/completions"
ASKED: dict[str, Any] = {"messages": [question(3)]}


@pytest.fixture
async def remote(stage: OpenAIStage, provider: OpenAIProvider) -> Remote:
    """A job that runs."""
    remote = await provider.submit(plan(stage, validation=chats(10)))
    stage.begin(remote)
    return remote


async def test_every_step_is_measured_once(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.finish(remote)

    seen = await provider.observe(remote, None)

    points = {point.step: point.values for point in seen.metrics}
    assert sorted(points) == list(range(1, 25))
    assert "full_valid_loss" in points[24]
    assert seen.progress is not None
    assert seen.progress.percent == 100


async def test_checkpoints_go_by_the_name_that_can_be_asked(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.finish(remote)

    seen = await provider.observe(remote, None)

    assert [saved.step for saved in seen.checkpoints] == [12, 24]
    assert seen.checkpoints[0].name.endswith(":ckpt-step-12")
    answer = await provider.chat(Servable(stage.base_model, seen.checkpoints[0].name), ASKED)
    assert answer["choices"][0]["message"]["content"] == "It is 6."


async def test_a_training_goes_on_from_a_checkpoint(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.finish(remote)
    saved = (await provider.observe(remote, None)).checkpoints[0]

    await provider.submit(plan(stage, "job-2-1", base_model=saved.name))

    assert stage.simulated.jobs[-1].model == saved.name


async def test_a_pause_is_slow_and_is_seen(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.simulated.change(pauses_slowly=True)
    states: list[RemoteState] = []

    for wish in (provider.pause, provider.resume):
        await wish(remote)
        states.append((await provider.observe(remote, None)).state)
        stage.simulated.advance(job=remote.id)
        states.append((await provider.observe(remote, None)).state)

    assert states == ["pausing", "paused", "running", "running"]


async def test_a_wish_that_comes_too_late_is_refused_and_ends_nothing(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.finish(remote)

    with pytest.raises(Never):
        await provider.pause(remote)
    assert (await provider.observe(remote, None)).state is RemoteState.SUCCEEDED


async def test_a_job_that_the_key_does_not_reach_is_no_failure(provider: OpenAIProvider) -> None:
    with pytest.raises(YourTurn, match="project"):
        await provider.observe(Remote("ftjob-elsewhere"), None)


async def test_a_busy_vendor_is_looked_at_later(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.simulated.order(too_many_requests(seconds=9), "*", method="GET")

    with pytest.raises(Later) as later:
        await provider.observe(remote, None)

    assert later.value.retry_after == 9


@pytest.mark.parametrize("silent", ["events", "checkpoints"])
async def test_a_running_job_s_state_is_seen_though_its_news_are_not(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote, silent: str
) -> None:
    before = await provider.observe(remote, None)
    stage.simulated.advance(job=remote.id)
    stage.simulated.order(Failure(status=502), f"/v1/fine_tuning/jobs/*/{silent}", method="GET")

    blind = await provider.observe(remote, before.cursor)
    after = await provider.observe(remote, blind.cursor)

    assert (blind.state, blind.metrics, blind.cursor) == ("running", [], before.cursor)
    assert after.metrics


async def test_a_job_has_not_ended_until_all_that_it_told_is_here(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.finish(remote)
    stage.simulated.order(Failure(status=502), "/v1/fine_tuning/jobs/*/events", method="GET")

    with pytest.raises(Unanswered):
        await provider.observe(remote, None)
    assert (await provider.observe(remote, None)).metrics


@pytest.mark.parametrize("fault", [Cut(pieces=2), Reset(during="answer", pieces=2)])
async def test_a_stream_that_breaks_off_is_no_answer(
    stage: OpenAIStage, provider: OpenAIProvider, fault: Cut | Reset
) -> None:
    stage.simulated.order(fault, CHAT)

    with pytest.raises(ModelUnavailable):
        async for _ in provider.chat_stream(Servable(stage.base_model), ASKED):
            pass


async def test_a_request_that_the_model_cannot_take_says_where(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    with pytest.raises(Invalid) as invalid:
        await provider.chat(Servable(stage.base_model), ASKED | {"logprobs": True})

    assert invalid.value.faults[0].pointer == "/logprobs"


async def test_an_unknown_model_is_not_found(provider: OpenAIProvider) -> None:
    with pytest.raises(ModelNotFound):
        await provider.chat(Servable("gpt-4.1-mini-2025-04-14", "ft:gone"), ASKED)


async def test_a_model_that_refuses_to_answer_fails_its_probe(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    stage.simulated.order(Failure(status=400, message="The model is broken."), CHAT)

    with pytest.raises(Never) as never:
        await provider.probe(Artifact(stage.base_model, "remote"))

    assert never.value.code == "artifact_unusable"


@pytest.mark.parametrize("status", [404, 429, 500])
async def test_a_model_that_does_not_answer_yet_is_no_failure(
    stage: OpenAIStage, provider: OpenAIProvider, status: int
) -> None:
    stage.simulated.order(Failure(status=status), CHAT)

    with pytest.raises((ModelNotFound, ModelUnavailable)):
        await provider.probe(Artifact(stage.base_model, "remote"))


async def test_deleting_a_model_takes_its_checkpoints_and_files_along(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.finish(remote)
    seen = await provider.observe(remote, None)
    assert seen.artifact is not None

    await provider.delete(seen.artifact.handle)

    deleted = [asked.path for asked in stage.simulated.requests if asked.method == "DELETE"]
    (job,) = stage.simulated.jobs
    files = {job.training_file, job.validation_file, *job.result_files}
    models = {seen.artifact.handle, seen.checkpoints[0].name}
    assert {path.rpartition("/")[2] for path in deleted} == files | models


async def test_a_file_that_another_training_needs_stays(
    stage: OpenAIStage, provider: OpenAIProvider, remote: Remote
) -> None:
    stage.finish(remote)
    seen = await provider.observe(remote, None)
    other = await provider.submit(plan(stage, "job-2-1"))
    assert seen.artifact is not None

    await provider.delete(seen.artifact.handle)

    stage.finish(other)
    assert (await provider.observe(other, None)).state is RemoteState.SUCCEEDED
