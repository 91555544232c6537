"""Tuning jobs from the first request to the tuned model, over Google's own libraries."""

import json
from datetime import date

import httpx
import pytest

from app.domain.errors import Later, Never, YourTurn
from app.domain.jobs import Remote
from app.domain.provider import Observation, RemoteState
from app.providers.vertex.plans import LABEL
from app.providers.vertex.provider import VertexProvider
from app.sandbox.frame.faults import Failure, Garbage, Reset, too_many_requests
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.providers.vertex.given import (
    KEY,
    a_plan,
    all_looks,
    at_the_end,
    chats,
    connected,
    preferences,
    trained,
)

JOBS = "/v1/projects/*/tuningJobs"
BETA_JOBS = "/v1beta1/projects/*/tuningJobs"


def test_the_provider_says_what_it_is_and_needs(simulated: SimulatedVertex) -> None:
    provider = connected(simulated, project=None, staging_bucket=None)

    assert provider.missing == [
        "LUTHIER_PROVIDERS__VERTEX__PROJECT",
        "LUTHIER_PROVIDERS__VERTEX__STAGING_BUCKET",
    ]
    assert provider.creation.is_open(date(2026, 11, 23))
    assert provider.base_model("gemini-2.5-flash").training_ends_at == date(2026, 10, 16)


async def test_a_supervised_training_succeeds(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    remote = await provider.submit(a_plan(validation=chats(10), epochs=2, adapter_size=4))
    seen = await all_looks(provider, remote.id)

    assert [one.state for one in seen[:3]] == [RemoteState.RUNNING] * 3
    assert seen[-1].state is RemoteState.SUCCEEDED
    artifact = seen[-1].artifact
    assert artifact is not None
    assert artifact.effective == {
        "epochs": 2,
        "adapter_size": 4,
    }
    assert artifact.trained_tokens
    assert simulated.jobs[0].asked["labels"] == {LABEL: KEY}
    assert len(simulated.objects) == 2


async def test_a_preference_training_succeeds(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    remote = await provider.submit(
        a_plan(
            "dpo", validation=preferences(3), beta=0.2, epochs=1, export_last_checkpoint_only=True
        )
    )
    seen = await at_the_end(provider, remote.id)

    assert seen.artifact is not None
    asked = simulated.jobs[0].asked["preferenceOptimizationSpec"]
    assert asked["hyperParameters"] == {"beta": 0.2, "epochCount": 1}
    assert asked["exportLastCheckpointOnly"] is True
    assert "validationDatasetUri" in asked


@pytest.mark.parametrize("method", ["sft", "dpo"])
async def test_a_training_goes_on_from_a_tuned_model(
    provider: VertexProvider, simulated: SimulatedVertex, method: str
) -> None:
    parent = await trained(provider)

    child = await trained(provider, a_plan(method, key="job-02-1", parent=parent.handle))

    assert child.handle != parent.handle
    assert simulated.jobs[1].asked["preTunedModel"] == {
        "tunedModelName": parent.handle.partition(" ")[0]
    }


async def test_every_checkpoint_and_notice_is_told_once(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    simulated.change(drops=[3, 5], partly=True)
    remote = await provider.submit(a_plan())

    seen = await all_looks(provider, remote.id)
    again = await provider.observe(seen[-1].remote, seen[-1].cursor)

    notices = [event for one in seen for event in one.events if event.type == "job.notice"]
    saved = [checkpoint.name for one in seen for checkpoint in one.checkpoints]
    assert [one.detail for one in seen[:2]] == ["processing dataset", "tuning"]
    assert len(notices) == 3
    assert saved == ["1", "2", "3"]
    assert (again.events, again.checkpoints) == ([], [])


async def test_progress_counts_whole_epochs(provider: VertexProvider) -> None:
    remote = await provider.submit(a_plan(epochs=4))

    seen = await all_looks(provider, remote.id)

    percents = [one.progress.percent for one in seen if one.progress]
    assert percents == [25.0, 50.0, 75.0, 100.0]


@pytest.mark.parametrize("method", ["sft", "dpo"])
@pytest.mark.parametrize(
    "fault",
    [Failure(status=503, after_effect=True), Reset(during="effect"), Garbage(after_effect=True)],
    ids=["503", "reset", "garbage"],
)
async def test_a_create_whose_answer_was_lost_is_found(
    provider: VertexProvider,
    simulated: SimulatedVertex,
    method: str,
    fault: Failure | Reset | Garbage,
) -> None:
    simulated.order(fault, JOBS if method == "sft" else BETA_JOBS, method="POST")

    with pytest.raises(Exception) as lost:  # noqa: PT011 - whatever it is, it must be no word
        await provider.submit(a_plan(method))
    found = await provider.find(KEY)

    assert not isinstance(lost.value, (Later, Never, YourTurn))
    assert found is not None
    assert found.id == simulated.jobs[0].name
    assert simulated.creations(LABEL) == {KEY: 1}


@pytest.mark.parametrize("filters", ["honoured", "passed over", "refused"])
async def test_a_job_is_found_whatever_becomes_of_the_filter(
    provider: VertexProvider, simulated: SimulatedVertex, filters: str
) -> None:
    simulated.change(filters=filters)
    wanted = await provider.submit(a_plan())
    for number in range(3):
        await provider.submit(a_plan(key=f"job-other-{number}"))

    found = await provider.find(KEY)

    assert found is not None
    assert found.id == wanted.id
    assert await provider.find("job-none-1") is None


async def test_a_job_is_found_behind_many_others(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    simulated.change(filters="passed over")
    wanted = await provider.submit(a_plan())
    for number in range(101):
        await provider.submit(a_plan(key=f"job-other-{number}", examples=chats(10)))

    found = await provider.find(KEY)

    assert found is not None
    assert found.id == wanted.id


@pytest.mark.parametrize("method", ["sft", "dpo"])
async def test_a_quota_that_is_used_up_means_later(
    provider: VertexProvider, simulated: SimulatedVertex, method: str
) -> None:
    simulated.order(too_many_requests(), JOBS if method == "sft" else BETA_JOBS, method="POST")

    with pytest.raises(Later) as said:
        await provider.submit(a_plan(method))

    assert said.value.retry_after == 7
    assert simulated.jobs == []


@pytest.mark.parametrize("method", ["sft", "dpo"])
async def test_a_refusal_is_final_and_says_why(
    provider: VertexProvider, simulated: SimulatedVertex, method: str
) -> None:
    simulated.change(base_models=[])

    with pytest.raises(Never, match="not supported") as said:
        await provider.submit(a_plan(method))

    assert said.value.code == "provider_refused"


async def test_credentials_that_expired_are_the_users_turn(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    remote = await provider.submit(a_plan())
    simulated.change(expired_tokens=["loopback"])

    with pytest.raises(YourTurn):
        await provider.submit(a_plan(key="job-02-1"))
    with pytest.raises(YourTurn):
        await provider.observe(remote, None)
    with pytest.raises(YourTurn):
        await provider.find(KEY)


async def test_an_address_where_nobody_listens_means_later(simulated: SimulatedVertex) -> None:
    provider = connected(simulated)
    simulated.stop()

    with pytest.raises(Later):
        await provider.submit(a_plan())
    with pytest.raises(httpx.ConnectError):
        await provider.observe(Remote("projects/1/locations/l/tuningJobs/1"), None)
    await provider.close()
    simulated.start()


async def test_a_state_that_nobody_knows_is_kept_and_told(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    remote = await provider.submit(a_plan())
    simulated.change(shown_state={"*": "JOB_STATE_MEDITATING"})

    seen = await provider.observe(remote, None)

    assert seen.state is RemoteState.UNKNOWN
    assert seen.remote.status == "JOB_STATE_MEDITATING"
    assert seen.look_again_in > 0


async def test_a_job_is_cancelled_in_its_own_time(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    simulated.change(cancels_slowly=True, pace={"by": "order"})
    remote = await provider.submit(a_plan())

    await provider.cancel(remote)
    first = await provider.observe(remote, None)
    simulated.advance()
    last = await provider.observe(remote, first.cursor)

    assert (first.state, last.state) == (RemoteState.CANCELLING, RemoteState.CANCELLED)
    assert last.error is None
    with pytest.raises(Exception, match="terminal state"):
        await provider.cancel(remote)


async def test_a_failed_job_says_why(provider: VertexProvider, simulated: SimulatedVertex) -> None:
    remote = await provider.submit(a_plan())
    simulated.fail(simulated.jobs[0].name, message="Out of capacity.")

    seen = await provider.observe(remote, None)

    assert seen.state is RemoteState.FAILED
    assert seen.error is not None
    assert seen.error.message == "Out of capacity."


async def test_a_job_that_google_forgot_is_lost(provider: VertexProvider) -> None:
    gone = Remote("projects/1/locations/us-central1/tuningJobs/404")

    with pytest.raises(Never) as said:
        await provider.observe(gone, None)

    assert said.value.code == "run_lost"


async def test_looks_create_nothing(provider: VertexProvider, simulated: SimulatedVertex) -> None:
    remote = await provider.submit(a_plan())
    before = len(simulated.requests)

    seen: Observation = await at_the_end(provider, remote.id)

    assert seen.state is RemoteState.SUCCEEDED
    assert {request.method for request in simulated.requests[before:]} == {"GET"}


async def test_a_lost_job_answer_on_a_look_is_no_word(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    remote = await provider.submit(a_plan())
    simulated.order(Failure(status=500), f"{BETA_JOBS}/*", method="GET")

    with pytest.raises(Exception, match="500"):
        await provider.observe(remote, None)


async def test_credentials_show_in_no_text(
    provider: VertexProvider, simulated: SimulatedVertex
) -> None:
    simulated.order(Failure(status=500), JOBS, method="POST")

    with pytest.raises(Exception) as lost:  # noqa: PT011
        await provider.submit(a_plan())

    texts = [repr(provider), repr(vars(provider)), str(lost.value), repr(lost.value)]
    assert not any("loopback" in text for text in texts)
    assert not any("authorization" in json.dumps(dict(seen.headers)) for seen in simulated.requests)
