"""What is found in a workspace, whoever put it there."""

import json

import pytest

from app.domain.errors import Later, YourTurn
from app.domain.jobs import Method
from app.domain.provider import RemoteState
from app.providers.azure_ml.listed import listed
from app.providers.azure_ml.provider import AzureMLProvider
from app.providers.azure_ml.storehouse import Asset, Storehouse
from app.sandbox.azure_ml.simulator import SimulatedAzureML
from tests.providers.azure_ml.given import BASE, TINY, a_plan, chats

SCOPE = (
    "/subscriptions/sub/resourceGroups/group"
    "/providers/Microsoft.MachineLearningServices/workspaces/space"
)

STORE = Storehouse(
    scope=SCOPE, datastore="workspaceblobstore", account="ours", container="azureml-blobstore"
)


async def test_trainings_of_both_kinds_are_found_with_what_they_read_and_left(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.change(pace={"by": "order"})
    await provider.submit(a_plan(epochs=2))
    await provider.submit(a_plan(TINY, key="job-02k-1", epochs=3, learning_rate=1e-4))
    simulated.advance(9, job="job-01k-1")

    found = await provider.inventory(0)

    vendors, trainers = found.jobs
    assert (vendors.key, vendors.base_model, vendors.name) == ("job-01k-1", BASE, "doubling")
    assert (vendors.method, vendors.state) == (Method("sft", {"epochs": 2}), RemoteState.SUCCEEDED)
    assert (trainers.key, trainers.base_model, trainers.seed) == ("job-02k-1", TINY, 1)
    assert trainers.method == Method("sft", {"epochs": 3, "learning_rate": 1e-4})
    assert [one.artifact for one in found.models] == [vendors.artifact] == ["job-01k-1:1"]
    assert {one.id for one in found.files} == {vendors.training_file, trainers.training_file}


async def test_what_was_tuned_on_keeps_its_first_base_and_what_is_gone_is_not_there(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.change(pace={"by": "order"})
    await provider.submit(a_plan())
    simulated.advance(9)
    await provider.submit(a_plan(key="job-02k-1", parent="job-01k-1:1"))
    simulated.advance(9)
    before = await provider.inventory(0)

    await provider.delete("job-02k-1:1")
    after = await provider.inventory(0)

    assert [job.base_model for job in before.jobs] == [BASE, BASE]
    assert [job.artifact for job in after.jobs] == ["job-01k-1:1", None]
    assert [model.artifact for model in after.models] == ["job-01k-1:1"]


async def test_all_pages_are_read_and_only_what_is_new_enough_is_given(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.change(page_size=2)
    for number in range(5):
        await provider.submit(a_plan(key=f"job-0{number}k-1"))

    found = await provider.inventory(0)

    assert [job.key for job in found.jobs] == [f"job-0{number}k-1" for number in range(5)]
    late = await provider.inventory(found.jobs[3].created_at)
    assert [job.key for job in late.jobs] == ["job-03k-1", "job-04k-1"]


async def test_a_file_comes_as_it_lies_there_or_can_be_asked_for_again(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    await provider.submit(a_plan())
    (file,) = (await provider.inventory(0)).files

    content = b"".join([piece async for piece in provider.file_content(file.id)])
    simulated.stop()

    assert [json.loads(line) for line in content.splitlines()] == chats()
    with pytest.raises(Later):
        _ = [piece async for piece in provider.file_content(file.id)]


async def test_without_credentials_nothing_is_found(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    simulated.change(expired_tokens={"loopback"})

    with pytest.raises(YourTurn):
        await provider.inventory(0)


@pytest.mark.parametrize(
    "properties",
    [
        {"jobType": "Command", "command": "python train.py"},
        {"jobType": "Pipeline"},
        {"jobType": "FineTuning", "fineTuningDetails": {"modelProvider": "AzureOpenAI"}},
    ],
)
def test_jobs_of_others_that_leave_no_model_here_are_left_alone(
    properties: dict[str, object],
) -> None:
    assert listed({"name": "others", "properties": properties}, SCOPE) is None


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("azureml://datastores/workspaceblobstore/paths/a/b.jsonl", "a/b.jsonl"),
        (
            "azureml://subscriptions/sub/resourcegroups/group/workspaces/space"
            "/datastores/workspaceblobstore/paths/b.jsonl",
            "b.jsonl",
        ),
        ("https://ours.blob.core.windows.net/azureml-blobstore/b.jsonl", "b.jsonl"),
        ("https://ours.blob.core.windows.net/other/b.jsonl", None),
        ("https://theirs.blob.core.windows.net/azureml-blobstore/b.jsonl", None),
        ("azureml://datastores/another/paths/b.jsonl", None),
        (
            "azureml://subscriptions/sub/resourcegroups/group/workspaces/elsewhere"
            "/datastores/workspaceblobstore/paths/b.jsonl",
            None,
        ),
        ("https://example.com/b.jsonl", None),
    ],
)
def test_a_blob_of_the_default_datastore_is_known_by_all_its_addresses(
    address: str, path: str | None
) -> None:
    assert STORE.path(address) == path


@pytest.mark.parametrize(
    ("address", "asset"),
    [
        ("azureml:doubles:2", Asset("doubles", "2")),
        (f"{SCOPE}/data/doubles/versions/2", Asset("doubles", "2")),
        (f"azureml:{SCOPE.lower()}/data/doubles/versions/2", Asset("doubles", "2")),
        (f"{SCOPE}-2/data/doubles/versions/2", None),
        ("azureml://datastores/workspaceblobstore/paths/b.jsonl", None),
    ],
)
def test_a_data_asset_is_known_by_its_names(address: str, asset: Asset | None) -> None:
    assert STORE.asset(address) == asset
