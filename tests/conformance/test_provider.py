"""What every provider promises, asked of each over its simulator."""

import logging
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.domain.errors import Later, ModelUnavailable, Steer, YourTurn
from app.domain.jobs import Remote
from app.domain.provider import Artifact, Deploying, Observation, RemoteState, Servable, Sweeping
from app.providers import catalog
from tests.conformance.conftest import STAGES
from tests.conformance.stage import Stage, answer, chats, plan, question

WITHOUT_SIMULATOR = {"local", "simulated"}
WITHOUT_ANSWERS = {"azure_ml"}
"""What is tuned there is kept, and served by nobody."""


def test_every_provider_has_a_stage() -> None:
    staged = {name.partition("@")[0] for name in STAGES}
    assert set(catalog.specs()) - WITHOUT_SIMULATOR == staged


async def test_a_training_goes_all_the_way(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage, validation=chats(10)))
    stage.finish(remote)

    seen = await stage.provider.observe(remote, None)

    assert seen.state is RemoteState.SUCCEEDED
    assert seen.artifact is not None
    assert seen.artifact.effective["epochs"] == 2
    assert seen.error is None


async def test_what_was_submitted_is_found(stage: Stage) -> None:
    assert await stage.provider.find("job-1-1") is None

    remote = await stage.provider.submit(plan(stage))

    found = await stage.provider.find("job-1-1")
    assert found is not None
    assert found.id == remote.id
    assert await stage.provider.find("job-1") is None
    assert await stage.provider.find("job-1-2") is None


async def test_a_create_whose_answer_was_lost_is_found(stage: Stage) -> None:
    stage.lose_the_next_create()

    with pytest.raises(Exception) as lost:  # noqa: PT011 - anything but a promise
        await stage.provider.submit(plan(stage))

    assert not isinstance(lost.value, Steer)
    assert await stage.provider.find("job-1-1") is not None
    assert stage.creations("job-1-1") == 1


async def test_a_create_that_broke_is_never_repeated_by_itself(stage: Stage) -> None:
    stage.break_the_next_create()

    with pytest.raises(Exception) as broken:  # noqa: PT011 - anything but a promise
        await stage.provider.submit(plan(stage))

    assert not isinstance(broken.value, Steer)
    assert stage.creations("job-1-1") == 0
    await stage.provider.submit(plan(stage))
    assert stage.creations("job-1-1") == 1


async def test_a_busy_vendor_says_when_to_come_back(stage: Stage) -> None:
    stage.be_busy(7)

    with pytest.raises(Later) as later:
        await stage.provider.submit(plan(stage))

    assert later.value.retry_after == 7
    assert stage.creations("job-1-1") == 0


async def test_expired_credentials_are_the_users_turn(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.expire_the_credentials()

    with pytest.raises(YourTurn):
        await stage.provider.submit(plan(stage, "job-2-1"))
    with pytest.raises(YourTurn):
        await stage.provider.observe(remote, None)
    with pytest.raises(ModelUnavailable):
        await _ask(stage, Servable(stage.base_model))


async def test_nobody_there_means_nothing_was_created_and_nothing_failed(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.go_away()

    with pytest.raises(Later):
        await stage.provider.submit(plan(stage, "job-2-1"))
    with pytest.raises(Exception) as silence:  # noqa: PT011 - anything but a verdict
        await stage.provider.observe(remote, None)
    assert not isinstance(silence.value, Steer)
    with pytest.raises(ModelUnavailable):
        await _ask(stage, Servable(stage.base_model))


async def test_nothing_is_told_twice_and_nothing_is_lost(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    looks = [await stage.provider.observe(remote, None)]
    for move in (stage.begin, stage.begin, stage.finish):
        move(remote)
        looks.append(await stage.provider.observe(remote, looks[-1].cursor))
        looks.append(await stage.provider.observe(remote, looks[-1].cursor))

    at_once = await stage.provider.observe(remote, None)

    assert [e for look in looks for e in look.events] == at_once.events
    assert [c for look in looks for c in look.checkpoints] == at_once.checkpoints
    assert _steps(*looks) == _steps(at_once)
    assert looks[-1].state is RemoteState.SUCCEEDED


async def test_a_look_only_reads(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.begin(remote)
    before = stage.writes()

    await stage.provider.observe(remote, None)
    await stage.provider.find("job-1-1")

    assert stage.writes() == before


async def test_a_cancelled_training_ends(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.begin(remote)

    await stage.provider.cancel(remote)

    assert (await stage.provider.observe(remote, None)).state is RemoteState.CANCELLED


async def test_a_failure_comes_with_its_reason(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.fail(remote)

    seen = await stage.provider.observe(remote, None)

    assert seen.state is RemoteState.FAILED
    assert seen.error is not None
    assert "It failed." in seen.error.message
    assert seen.artifact is None


async def test_a_new_word_for_the_status_is_kept(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.say(remote, "contemplating")

    seen = await stage.provider.observe(remote, None)

    assert seen.state is RemoteState.UNKNOWN
    assert seen.remote.status == "contemplating"


async def test_the_tuned_model_answers_until_it_is_deleted(stage: Stage) -> None:
    if stage.provider.spec.kind in WITHOUT_ANSWERS:
        pytest.skip("nothing serves what is tuned there")
    tuned = await _tuned(stage)
    await stage.provider.probe(tuned)
    await _serve(stage, tuned)
    model = Servable(stage.base_model, tuned.handle)

    told = await _ask(stage, model)

    assert told["choices"][0]["message"]["content"] == answer(3)
    assert await _streamed(stage, model) == answer(3)
    await stage.provider.delete(tuned.handle)
    await stage.provider.delete(tuned.handle)


async def test_a_training_goes_on_from_a_tuned_model(stage: Stage) -> None:
    first = await _tuned(stage)

    second = await _tuned(stage, "job-2-1", parent_artifact=first.handle)

    assert second.handle != first.handle


async def test_all_that_was_submitted_can_be_listed(stage: Stage) -> None:
    if not isinstance(stage.provider, Sweeping):
        pytest.skip("what is created there is exactly one")
    remote = await stage.provider.submit(plan(stage))

    (listed,) = await stage.provider.submitted(0)

    assert (listed.key, listed.remote.id) == ("job-1-1", remote.id)


async def test_nobody_reads_the_credentials(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as told:
        await _serve(stage, await _tuned(stage))
        stage.expire_the_credentials()
        with pytest.raises(YourTurn) as refused:
            await stage.provider.submit(plan(stage, "job-2-1"))

    shown = [repr(stage.provider), repr(vars(stage.provider)), str(told), caplog.text]
    shown += [str(refused.value), repr(refused.value.__cause__), repr(refused.value.__context__)]
    assert not [text for text in shown for secret in stage.secrets if secret in text]


async def _tuned(stage: Stage, key: str = "job-1-1", **others: str) -> Artifact:
    remote = await stage.provider.submit(plan(stage, key, **others))
    return await _artifact(stage, remote)


async def _artifact(stage: Stage, remote: Remote) -> Artifact:
    stage.finish(remote)
    seen = await stage.provider.observe(remote, None)
    assert seen.artifact is not None
    return seen.artifact


async def _serve(stage: Stage, tuned: Artifact) -> None:
    if isinstance(stage.provider, Deploying):
        await stage.provider.deploy(tuned.handle)


async def _ask(stage: Stage, model: Servable) -> dict[str, Any]:
    return await stage.provider.chat(model, {"messages": [question(3)]})


async def _streamed(stage: Stage, model: Servable) -> str:
    chunks = stage.provider.chat_stream(model, {"messages": [question(3)]})
    return "".join([
        choice["delta"].get("content") or ""
        async for chunk in chunks
        for choice in chunk["choices"]
    ])  # fmt: skip


def _steps(*looks: Observation) -> list[int]:
    return sorted({point.step for look in looks for point in look.metrics})
