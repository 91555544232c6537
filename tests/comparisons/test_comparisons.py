"""A comparison from its jobs to its table, and everything that is refused before the first."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import bootstrap
from app.bootstrap import House
from app.settings import Settings
from tests.api.expect import pointers, refused
from tests.api.given import Json, at_its_end, created, dataset, rows
from tests.api.vendors import PatientVendor
from tests.migrating.vendors import Elsewhere
from tests.simulated.simulated_provider import SimulatedOptions, SimulatedProvider

HERE = {"provider": "simulated", "base_model": "sim-base"}
THERE = {"provider": "elsewhere", "base_model": "sim-base"}
UNPRICED = {"provider": "simulated", "base_model": "sim-sft-only"}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    """The other vendor."""
    return Elsewhere(SimulatedOptions(folder=tmp_path / "elsewhere"))


@pytest.fixture
def house(
    database_url: str, tmp_path: Path, vendor: SimulatedProvider, elsewhere: Elsewhere
) -> House:
    """The service over three vendors; the third trains for as long as it is let."""
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    patient = PatientVendor(tmp_path / "patient")
    providers = {"simulated": vendor, "elsewhere": elsewhere, "patient": patient}
    return bootstrap.build(settings, providers=providers)


def body(*targets: Json, **changes: Any) -> Json:
    """A comparison on the dataset `echo`."""
    wanted: Json = {"dataset": "echo", "evaluate": {"dataset": "held-out"}, "targets": targets}
    return wanted | changes


async def stocked(client: httpx.AsyncClient) -> None:
    """Examples to train on, and others to compare on."""
    await dataset(client)
    await dataset(client, "held-out", rows(24)[12:])


async def finished(client: httpx.AsyncClient, comparison: Json) -> Json:
    """The comparison at its end."""
    return await at_its_end(client, f"/comparisons/{comparison['id']}")


async def jobs_of(client: httpx.AsyncClient, comparison: Json) -> list[Json]:
    """The comparison's jobs."""
    return [(await client.get(f"/jobs/{one['job']}")).json() for one in comparison["jobs"]]


async def test_targets_are_trained_and_measured_side_by_side(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await stocked(client)
    elsewhere.answers_badly = True
    method = {"hyperparameters": {"epochs": 9}}
    begun = created(await client.post("/comparisons", json=body(HERE, THERE, method=method)))
    done = await finished(client, begun)

    assert (done["status"], done["error"]) == ("succeeded", None)
    assert [one["translation"][0]["to"] for one in done["jobs"]] == [9, 4]
    here, there = done["standings"]
    assert (here["quality"], there["quality"]) == (1.0, 0.0)
    assert here["interval"]["low"] > there["interval"]["high"]
    assert (here["training_usd"], here["evaluation_usd"], here["cost_usd"]) == (
        "300.00",
        None,
        None,
    )
    assert here["latency_p50"] >= 0
    assert (here["examples"], here["pareto"]) == (12, True)
    evaluation = (await client.get(f"/evaluations/{done['evaluation']}")).json()
    assert evaluation["candidates"] == [one["model"] for one in done["standings"]]
    seeds = {job["seed"] for job in await jobs_of(client, done)}
    assert len(seeds) == 1


async def test_a_training_that_fails_takes_nothing_from_the_others(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await stocked(client)
    elsewhere.order("submit", "refuse")
    wanted = body(HERE, THERE, include_bases=True)
    done = await finished(client, created(await client.post("/comparisons", json=wanted)))

    assert done["status"] == "succeeded"
    here, there, *bases = done["standings"]
    assert (here["quality"], there["quality"]) == (1.0, None)
    assert (there["reason"], there["pareto"]) == ("refused: The vendor refuses.", False)
    assert [base["model"] for base in bases] == ["simulated/sim-base", "elsewhere/sim-base"]
    assert [(base["job"], base["quality"], base["training_usd"]) for base in bases] == [
        (None, 0.0, "0")
    ] * 2


async def test_without_any_model_a_comparison_fails(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await stocked(client)
    elsewhere.order("submit", "refuse")
    done = await finished(client, created(await client.post("/comparisons", json=body(THERE))))
    assert (done["status"], done["error"]["code"]) == ("failed", "no_model")
    assert done["standings"][0]["reason"] == "refused: The vendor refuses."


async def test_one_budget_is_shared_by_the_quotes(idle_client: httpx.AsyncClient) -> None:
    await stocked(idle_client)
    method = {"hyperparameters": {"epochs": 3}}
    wanted = body(HERE, THERE, method=method)
    free = created(await idle_client.post("/comparisons", json=wanted))
    quoted = [Decimal(job["cost"]["quoted_usd"]) for job in await jobs_of(idle_client, free)]
    enough, short = str(sum(quoted) * 2), str(sum(quoted) - Decimal("0.01"))

    made = created(await idle_client.post("/comparisons", json=wanted | {"budget_usd": enough}))
    too_much = await idle_client.post("/comparisons", json=wanted | {"budget_usd": short})
    unknown = body(HERE, UNPRICED, budget_usd=enough)

    budgets = [Decimal(job["cost"]["budget_usd"]) for job in await jobs_of(idle_client, made)]
    assert budgets == [2 * usd for usd in quoted]
    assert pointers(refused(too_much, 422, "over_budget")) == ["/budget_usd"]
    answer = await idle_client.post("/comparisons", json=unknown)
    assert pointers(refused(answer, 422, "over_budget")) == ["/targets/1"]


async def test_where_one_target_is_refused_none_begins(idle_client: httpx.AsyncClient) -> None:
    await stocked(idle_client)
    nobody, nothing = HERE | {"provider": "nobody"}, HERE | {"base_model": "nothing"}
    answer = await idle_client.post("/comparisons", json=body(HERE, nobody, nothing))

    problem = refused(answer, 422, "targets_unfit")
    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [
        ("/targets/1", "provider_not_found"),
        ("/targets/2", "base_model_unknown"),
    ]
    assert (await idle_client.get("/jobs")).json()["data"] == []


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"targets": [HERE, HERE]}, 422, "invalid_request"),
        ({"evaluate": {"dataset": "echo"}}, 422, "held_out_missing"),
        ({"evaluate": {"dataset": "none"}}, 404, "dataset_not_found"),
        ({"evaluate": {"dataset": "held-out", "metrics": ["taste"]}}, 422, "candidate_invalid"),
        ({"method": {"type": "rft"}}, 422, "targets_unfit"),
    ],
)
async def test_what_is_wrong_is_told_before(
    idle_client: httpx.AsyncClient, changes: Json, status: int, code: str
) -> None:
    await stocked(idle_client)
    answer = await idle_client.post("/comparisons", json=body(HERE, **changes))
    refused(answer, status, code)


async def test_one_key_makes_one_comparison(idle_client: httpx.AsyncClient) -> None:
    await stocked(idle_client)
    key = {"Idempotency-Key": "once"}
    first = await idle_client.post("/comparisons", json=body(HERE), headers=key)
    again = await idle_client.post("/comparisons", json=body(HERE), headers=key)
    other = await idle_client.post("/comparisons", json=body(THERE), headers=key)

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    refused(other, 422, "idempotency_key_reused")
    listed = (await idle_client.get("/comparisons")).json()["data"]
    assert listed == [first.json()]
    assert len((await idle_client.get("/jobs")).json()["data"]) == 1


async def test_a_cancelled_comparison_ends_its_jobs(client: httpx.AsyncClient) -> None:
    await stocked(client)
    wanted = body({"provider": "patient", "base_model": "sim-base"})
    begun = created(await client.post("/comparisons", json=wanted))
    path = f"/comparisons/{begun['id']}"

    cancelled = await client.post(f"{path}/cancel")

    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    refused(await client.post(f"{path}/cancel"), 409, "comparison_finished")
    [job] = begun["jobs"]
    seen = (await client.get(f"/jobs/{job['job']}")).json()
    while seen["finished_at"] is None:
        seen = (await client.get(f"/jobs/{job['job']}", params={"wait": 5})).json()
    assert seen["status"] == "cancelled"


async def test_what_is_compared_on_is_not_deleted(idle_client: httpx.AsyncClient) -> None:
    await stocked(idle_client)
    created(await idle_client.post("/comparisons", json=body(HERE)))
    refused(await idle_client.delete("/datasets/held-out"), 409, "dataset_in_use")
