"""Fine-tuning jobs of Azure's own: files, the job under our name, its states and its model."""

import json

import pytest

from app.domain.errors import Later, ModelUnavailable, Never, RateLimited, YourTurn
from app.domain.jobs import Remote
from app.domain.provider import Artifact, Connection, Observation, RemoteState, Servable
from app.providers.azure_ml import SPEC, AzureMLOptions
from app.providers.azure_ml.provider import AzureMLProvider
from app.sandbox.azure_ml.simulator import SimulatedAzureML
from app.sandbox.frame.faults import Failure, Reset, too_many_requests
from tests.providers.azure_ml.given import BASE, KEY, a_plan, all_looks, chats, connected

JOB = "/subscriptions/*/jobs/*"


async def test_a_training_goes_through_its_states(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.change(pace={"by": "order"})
    remote = await provider.submit(a_plan(epochs=2, learning_rate=1e-4))
    looks: list[Observation] = []
    for _ in range(6):
        looks.append(await provider.observe(remote, None))
        simulated.advance()

    states = [look.remote.status for look in looks]
    assert states == ["NotStarted", "Preparing", "Queued", "Running", "Running", "Completed"]
    assert looks[-1].artifact is not None
    assert looks[-1].artifact.effective == {"epochs": 2, "learning_rate": 1e-4}


async def test_what_was_asked_for_is_what_azure_gets(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    await provider.submit(a_plan(epochs=2, batch_size="auto", validation=chats(3)))

    (job,) = simulated.jobs

    assert job.details is not None
    assert job.details["hyperParameters"] == {"num_train_epochs": "2"}
    assert job.details["model"]["uri"] == BASE
    assert job.given["computeId"].endswith("/computes/cluster")
    assert job.details["validationData"]["uri"] != job.details["trainingData"]["uri"]


async def test_the_same_bytes_are_sent_once(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    await provider.submit(a_plan())
    await provider.submit(a_plan(key="job-01k-2"))

    ((path, content),) = simulated.blobs.items()

    assert path.startswith("luthier/data/")
    assert [json.loads(line) for line in content.splitlines()] == chats()


async def test_a_file_of_another_content_under_the_name_is_not_trained_on(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    await provider.submit(a_plan())
    (path,) = simulated.blobs
    simulated.write(path, b"{}\n")

    with pytest.raises(Never) as altered:
        await provider.submit(a_plan(key="job-01k-2"))

    assert altered.value.code == "staged_file_altered"
    assert simulated.creations["job-01k-2"] == 0


async def test_an_upload_that_broke_is_made_again(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.order(Reset(during="effect"), "/blobs/*", method="PUT")
    with pytest.raises(Later):
        await provider.submit(a_plan())

    await provider.submit(a_plan())

    assert simulated.creations == {KEY: 1}


async def test_too_many_requests_put_off_a_create_alone_and_a_look_with_all_others(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.order(too_many_requests(), JOB, method="PUT")
    with pytest.raises(Later) as put_off:
        await provider.submit(a_plan())

    remote = await provider.submit(a_plan())
    simulated.order(too_many_requests(), JOB, method="GET")
    with pytest.raises(RateLimited):
        await provider.observe(remote, None)

    assert not isinstance(put_off.value, RateLimited)


def test_what_is_missing_is_named_after_the_connection() -> None:
    options = AzureMLOptions(subscription_id="sub", resource_group="group", compute="cluster")

    provider = SPEC.connect(Connection("europe", options, "unused"))

    assert provider.missing == ["LUTHIER_PROVIDERS__EUROPE__WORKSPACE"]


async def test_a_file_that_another_attempt_put_first_is_used(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    await provider.submit(a_plan())
    unseen = Failure(status=404, code="BlobNotFound", message="It does not exist.")
    simulated.order(unseen, "/blobs/*", method="HEAD")

    await provider.submit(a_plan(key="job-01k-2"))

    assert [seen.status for seen in simulated.requests if seen.path.startswith("/blobs")] == [
        404, 201, None, 409, 200,
    ]  # fmt: skip


async def test_a_model_of_the_workspace_is_named_by_its_resource(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    await provider.submit(a_plan("azureml:mine:3"))

    (job,) = simulated.jobs

    assert job.details is not None
    assert job.details["model"]["uri"].endswith("/workspaces/space/models/mine/versions/3")


async def test_submitting_twice_under_one_key_creates_one_job(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    first = await provider.submit(a_plan())
    second = await provider.submit(a_plan())

    assert first.id == second.id
    assert simulated.creations == {KEY: 1}


async def test_a_job_that_azure_refuses_is_never_tried_again(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.change(computes={"another"})

    with pytest.raises(Never) as refused:
        await provider.submit(a_plan())

    assert refused.value.code == "provider_refused"
    assert "Compute 'cluster' was not found." in refused.value.message


async def test_a_file_that_azure_refuses_fails_the_job_with_the_line(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    remote = await provider.submit(a_plan())
    (path,) = simulated.blobs
    simulated.write(path, b'{"messages": []}\n')

    failed = (await all_looks(provider, remote))[-1]

    assert failed.state is RemoteState.FAILED
    assert failed.error is not None
    assert "Line 1 of the training file" in failed.error.message


async def test_an_example_that_cannot_be_carried_is_never_sent(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    example = {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "tool_calls": [call]},
        ]
    }

    with pytest.raises(Never) as unfit:
        await provider.submit(a_plan(examples=[example]))

    assert unfit.value.code == "dataset_unfit"
    assert simulated.blobs == {}


async def test_a_failure_without_a_reason_still_is_one(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    remote = await provider.submit(a_plan())
    simulated.fail(remote.id)
    simulated.order(Failure(status=503), "/history/*")

    seen = await provider.observe(remote, None)

    assert seen.error is not None
    assert seen.error.message == "Azure ML gives no reason."
    assert seen.error.hint is not None
    assert remote.id in seen.error.hint


@pytest.mark.parametrize(
    ("word", "state"),
    [("Paused", RemoteState.PAUSED), ("NotResponding", RemoteState.UNKNOWN)],
)
async def test_what_the_sdk_takes_for_an_end_is_none(
    provider: AzureMLProvider, simulated: SimulatedAzureML, word: str, state: RemoteState
) -> None:
    remote = await provider.submit(a_plan())
    simulated.change(shown_status={remote.id: word})

    seen = await provider.observe(remote, None)

    assert seen.state is state
    assert seen.look_again_in > 0


async def test_a_slow_cancel_is_seen_on_its_way(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.change(cancels_slowly=True, pace={"by": "order"})
    remote = await provider.submit(a_plan())

    await provider.cancel(remote)

    assert (await provider.observe(remote, None)).state is RemoteState.CANCELLING
    simulated.advance()
    assert (await provider.observe(remote, None)).state is RemoteState.CANCELLED


async def test_a_job_that_is_gone_is_lost(provider: AzureMLProvider) -> None:
    with pytest.raises(Never) as lost:
        await provider.observe(Remote("job-nowhere-1"), None)

    assert lost.value.code == "run_lost"


async def test_a_registered_model_is_there_until_it_is_deleted(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    remote = await provider.submit(a_plan())
    artifact = Artifact(f"{KEY}:1", "remote")
    assert (await all_looks(provider, remote))[-1].artifact == artifact
    await provider.probe(artifact)

    await provider.delete(artifact.handle)
    await provider.delete(artifact.handle)

    assert simulated.models == []
    with pytest.raises(Never, match="registered no model"):
        await provider.probe(artifact)


async def test_nothing_answers_until_somebody_deploys(provider: AzureMLProvider) -> None:
    with pytest.raises(ModelUnavailable, match="deploy it to an endpoint"):
        await provider.chat(Servable(BASE, f"{KEY}:1"), {"messages": []})


async def test_what_is_missing_is_named_before_anything_is_sent(
    simulated: SimulatedAzureML,
) -> None:
    provider = connected(simulated, workspace=None, compute=None)

    with pytest.raises(YourTurn, match="AZURE_ML__WORKSPACE, LUTHIER_PROVIDERS__AZURE_ML__COMPUTE"):
        await provider.submit(a_plan())

    assert simulated.requests == []
    await provider.close()
