"""What every provider of a vendor promises of what can go wrong there."""

import logging

import pytest
from structlog.testing import capture_logs

from app.domain.errors import (
    Later,
    LuthierError,
    ModelUnavailable,
    Never,
    RateLimited,
    Steer,
    YourTurn,
)
from app.domain.provider import RemoteState, Servable
from tests.conformance.stage import VendorStage, plan
from tests.conformance.steps import serve, told, tuned


@pytest.fixture
def stage(vendor_stage: VendorStage) -> VendorStage:
    """Each provider of a vendor in turn."""
    return vendor_stage


async def test_a_create_whose_answer_was_lost_is_found(stage: VendorStage) -> None:
    stage.lose_the_next_create()

    with pytest.raises(Exception) as lost:  # noqa: PT011 - anything but a promise
        await stage.provider.submit(plan(stage))

    assert not isinstance(lost.value, Steer)
    assert await stage.provider.find("job-1-1") is not None
    assert stage.creations("job-1-1") == 1


async def test_a_create_that_broke_is_never_repeated_by_itself(stage: VendorStage) -> None:
    stage.answer_the_next_create(500)

    with pytest.raises(Exception) as broken:  # noqa: PT011 - anything but a promise
        await stage.provider.submit(plan(stage))

    assert not isinstance(broken.value, Steer)
    assert stage.creations("job-1-1") == 0
    await stage.provider.submit(plan(stage))
    assert stage.creations("job-1-1") == 1


async def test_a_busy_vendor_says_when_to_come_back(stage: VendorStage) -> None:
    stage.be_busy(7)

    with pytest.raises(Later) as later:
        await stage.provider.submit(plan(stage))

    assert later.value.retry_after == 7
    assert stage.creations("job-1-1") == 0


async def test_bad_data_is_refused_for_good(stage: VendorStage) -> None:
    stage.answer_the_next_create(400)

    with pytest.raises(Never) as refused:
        await stage.provider.submit(plan(stage))

    assert refused.value.code
    assert stage.creations("job-1-1") == 0


async def test_what_is_forbidden_waits_for_the_user(stage: VendorStage) -> None:
    stage.answer_the_next_create(403)

    with pytest.raises((YourTurn, Never)):
        await stage.provider.submit(plan(stage))

    assert stage.creations("job-1-1") == 0


async def test_too_many_looks_hold_back_the_whole_connection(stage: VendorStage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.be_busy(7, looks=True)

    with pytest.raises(RateLimited) as limited:
        await stage.provider.observe(remote, None)

    assert limited.value.retry_after == 7


async def test_expired_credentials_are_the_users_turn(stage: VendorStage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.expire_the_credentials()

    with pytest.raises(YourTurn):
        await stage.provider.submit(plan(stage, "job-2-1"))
    with pytest.raises(YourTurn):
        await stage.provider.observe(remote, None)
    with pytest.raises(ModelUnavailable):
        await told(stage, Servable(stage.base_model))


async def test_nobody_there_means_nothing_was_created_and_nothing_failed(
    stage: VendorStage,
) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.go_away()

    with pytest.raises(Later):
        await stage.provider.submit(plan(stage, "job-2-1"))
    with pytest.raises(Exception) as silence:  # noqa: PT011 - anything but a verdict
        await stage.provider.observe(remote, None)
    assert not isinstance(silence.value, Steer)
    with pytest.raises(ModelUnavailable):
        await told(stage, Servable(stage.base_model))


async def test_a_new_word_for_the_status_is_kept(stage: VendorStage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.say(remote, "contemplating")

    seen = await stage.provider.observe(remote, None)

    assert seen.state is RemoteState.UNKNOWN
    assert seen.remote.status == "contemplating"


async def test_a_deleted_model_answers_no_more(stage: VendorStage) -> None:
    artifact = await tuned(stage)
    await serve(stage, artifact.handle)

    await stage.provider.delete(artifact.handle)

    with pytest.raises(LuthierError):
        await told(stage, Servable(stage.base_model, artifact.handle))


async def test_nobody_reads_the_credentials(
    stage: VendorStage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logged:
        await serve(stage, (await tuned(stage)).handle)
        stage.expire_the_credentials()
        with pytest.raises(YourTurn) as refused:
            await stage.provider.submit(plan(stage, "job-2-1"))

    shown = [repr(stage.provider), repr(vars(stage.provider)), str(logged), caplog.text]
    shown += [str(refused.value), repr(refused.value.__cause__), repr(refused.value.__context__)]
    assert not [text for text in shown for secret in stage.secrets if secret in text]
