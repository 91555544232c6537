"""A migration from its plan to the alias, and everything that is refused on the way."""

from typing import Any

import httpx

from tests.api.expect import pointers, refused
from tests.api.given import Json, created, dataset, ended, job, judged, pause, rows
from tests.migrating.conftest import ALIAS
from tests.migrating.vendors import Elsewhere, Retiring

TARGET = {"provider": "elsewhere", "base_model": "sim-base"}
HELD_OUT = {"evaluate": {"dataset": "held-out"}}


async def migrate(client: httpx.AsyncClient, ref: str, **body: Any) -> httpx.Response:
    """The answer to a wish for a migration."""
    return await client.post(f"/models/{ref}/migrate", json=TARGET | HELD_OUT | body)


async def planned(client: httpx.AsyncClient, ref: str, **body: Any) -> Json:
    """The plan of a migration that is not made."""
    answer = await migrate(client, ref, dry_run=True, **body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["job"] is None
    return answer.json()["plan"]


async def evaluated(client: httpx.AsyncClient, job_id: str) -> Json:
    """The job's evaluation at its end."""
    found: list[Json] = []
    while not found or found[0]["finished_at"] is None:
        await pause()
        found = (await client.get("/evaluations", params={"job": job_id})).json()["data"]
    return found[0]


async def target_of(client: httpx.AsyncClient, alias: str = ALIAS) -> str:
    """The model that an alias means now."""
    return (await client.get(f"/aliases/{alias}")).json()["model"]


async def event_types(client: httpx.AsyncClient, job_id: str) -> list[str]:
    """What happened to a job."""
    events = (await client.get(f"/jobs/{job_id}/events")).json()["data"]
    return [event["type"] for event in events]


async def test_a_migrated_model_takes_over_the_alias(
    client: httpx.AsyncClient, model: str, elsewhere: Elsewhere
) -> None:
    begun = await migrate(client, ALIAS)
    made = created(begun)["job"]
    assert begun.headers["location"] == f"/jobs/{made['id']}"
    done = await ended(client, made)
    verdict = await evaluated(client, done["id"])

    assert (done["status"], done["migrated_from"]) == ("succeeded", model)
    assert (done["seed"], done["tags"]) == (7, {"team": "care"})
    assert [one["examples"] for one in elsewhere.created()] == [12]
    assert verdict["candidates"] == [model, done["tuned_model"]]
    assert (verdict["gate"]["non_inferiority_margin"], verdict["passed"]) == (0.05, True)
    assert await target_of(client) == done["tuned_model"]
    types = await event_types(client, done["id"])
    assert (types[0], types[-1]) == ("job.created", "job.promoted")


async def test_a_plan_tells_what_becomes_of_the_recipe(
    client: httpx.AsyncClient, model: str, elsewhere: Elsewhere
) -> None:
    plan = await planned(client, ALIAS, hyperparameters={"batch_size": 4})

    told = {note["field"]: (note["from"], note["to"]) for note in plan["translation"]}
    assert told == {
        "epochs": (5, 4),
        "learning_rate_multiplier": (1.8, "auto"),
        "lora_rank": (6, 4),
        "batch_size": (None, 4),
    }
    used = {"epochs": 4, "adapter_size": 4, "batch_size": 4}
    assert plan["method"]["hyperparameters"] == used
    assert (plan["fits"], plan["reasons"]) == (True, [])
    assert (plan["migrated_from"], plan["promote"]) == (model, {"alias": ALIAS})
    assert plan["baseline"]["kind"] == "model"
    assert plan["held_out"]["origin"] == "request"
    assert plan["compilation"]["ok"] is True
    assert plan["quote"]["cost_usd"]["price"]["usd"] == "25"
    assert elsewhere.created() == []
    assert len((await client.get("/jobs")).json()["data"]) == 1


async def test_a_plan_tells_why_it_would_be_refused(client: httpx.AsyncClient, model: str) -> None:
    plan = await planned(client, model, budget_usd="0.01", base_model="sim-base")
    assert (plan["fits"], [reason["code"] for reason in plan["reasons"]]) == (
        False,
        ["over_budget"],
    )
    refused(await migrate(client, model, budget_usd="0.01"), 422, "over_budget")


async def test_one_key_makes_one_migration(client: httpx.AsyncClient, model: str) -> None:
    key = {"Idempotency-Key": "once"}
    path, body = f"/models/{ALIAS}/migrate", TARGET | HELD_OUT
    first = await client.post(path, json=body, headers=key)
    again = await client.post(path, json=body, headers=key)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    other = await client.post(f"/models/{model}/migrate", json=body, headers=key)
    refused(other, 422, "idempotency_key_reused")


async def test_examples_that_were_held_out_are_needed(
    client: httpx.AsyncClient, model: str
) -> None:
    await dataset(client, "few", rows(3))
    for evaluate, code in (
        ({}, "held_out_missing"),
        ({"dataset": "echo"}, "held_out_missing"),
        ({"dataset": "few"}, "dataset_too_small"),
    ):
        answer = await migrate(client, model, evaluate=evaluate)
        assert pointers(refused(answer, 422, code)) == ["/evaluate/dataset"]


async def test_a_model_s_own_evaluation_names_them(client: httpx.AsyncClient, model: str) -> None:
    wish = {"dataset": "held-out", "metrics": ["f1", "latency"]}
    done = await ended(client, await job(client, evaluate=wish))

    plan = await planned(client, done["tuned_model"], evaluate={})

    assert (plan["held_out"]["origin"], plan["metrics"]) == ("job_evaluation", ["f1", "latency"])
    assert (plan["gate"]["metric"], plan["promote"]) == ("f1", None)


async def test_without_its_data_a_model_cannot_be_made_anew(
    client: httpx.AsyncClient, model: str
) -> None:
    await client.delete("/datasets/echo")
    refused(await migrate(client, model), 422, "recipe_unknown")


async def test_a_worse_model_leaves_the_alias_where_it_is(
    client: httpx.AsyncClient, model: str, elsewhere: Elsewhere
) -> None:
    elsewhere.answers_badly = True
    made = created(await migrate(client, ALIAS))["job"]
    verdict = await evaluated(client, made["id"])

    assert verdict["passed"] is False
    assert await target_of(client) == model
    assert (await event_types(client, made["id"]))[-1] == "job.not_promoted"


async def test_an_alias_that_was_moved_meanwhile_stays(
    client: httpx.AsyncClient, model: str, elsewhere: Elsewhere
) -> None:
    elsewhere.order("probe", "later")
    made = created(await migrate(client, ALIAS))["job"]
    await client.put(f"/aliases/{ALIAS}", json={"model": "simulated/sim-sft-only"})
    await evaluated(client, made["id"])

    assert await target_of(client) == "simulated/sim-sft-only"
    assert (await event_types(client, made["id"]))[-1] == "job.not_promoted"


async def test_the_alias_s_own_gate_comes_first(client: httpx.AsyncClient, model: str) -> None:
    gate = {"metric": "f1", "non_inferiority_margin": 0.01}
    await client.put(f"/aliases/{ALIAS}", json={"model": model, "gate": gate})

    plan = await planned(client, ALIAS)
    weaker = await migrate(client, ALIAS, gate=gate | {"non_inferiority_margin": 0.2})

    assert plan["gate"]["non_inferiority_margin"] == 0.01
    assert pointers(refused(weaker, 422, "candidate_invalid")) == ["/gate"]


async def test_an_alias_of_another_model_is_not_moved(
    client: httpx.AsyncClient, model: str
) -> None:
    await client.put("/aliases/other", json={"model": "simulated/sim-base"})
    answer = await migrate(client, model, promote={"alias": "other"})
    assert pointers(refused(answer, 422, "candidate_invalid")) == ["/promote/alias"]
    assert (await planned(client, ALIAS, promote=None))["promote"] is None


async def test_a_tuned_model_elsewhere_can_be_the_base(
    client: httpx.AsyncClient, model: str
) -> None:
    first = await ended(client, created(await migrate(client, model, promote=None))["job"])
    child = await ended(client, await job(client, base_model=model))

    plan = await planned(client, child["tuned_model"])
    onward = await migrate(client, child["tuned_model"], base_model=first["tuned_model"])

    assert [model in remark for remark in plan["remarks"]] == [True]
    assert created(onward)["job"]["parent_model"] == first["tuned_model"]
    assert created(onward)["plan"]["remarks"] == []


async def test_a_retired_model_is_compared_by_the_answers_that_are_kept(
    client: httpx.AsyncClient, model: str, vendor: Retiring
) -> None:
    kept = await judged(client, dataset="held-out", candidates=["simulated/sim-base", model])
    vendor.retire()
    asked = len(vendor.asked())

    begun = created(await migrate(client, ALIAS))
    verdict = await evaluated(client, begun["job"]["id"])

    assert begun["plan"]["baseline"] == {
        "candidate": model,
        "kind": "kept_answers",
        "evaluation": kept["id"],
        "why": f"simulated serves {model} no more since 2020-01-01.",
    }
    assert (verdict["answered"], verdict["total"], verdict["passed"]) == (36, 36, True)
    assert len(vendor.asked()) == asked
    assert await target_of(client) != model


async def test_a_retired_model_without_kept_answers_gives_way_to_a_better_than_base(
    client: httpx.AsyncClient, model: str, vendor: Retiring
) -> None:
    vendor.retire()
    begun = created(await migrate(client, ALIAS))
    verdict = await evaluated(client, begun["job"]["id"])

    assert begun["plan"]["baseline"]["kind"] == "base_model"
    assert (verdict["candidates"][0], verdict["gate"]["min_delta"]) == ("elsewhere/sim-base", 0.0)
    assert await target_of(client) == (await ended(client, begun["job"]))["tuned_model"]


async def test_a_gate_that_nothing_can_pass_any_more_is_told_before(
    client: httpx.AsyncClient, model: str, vendor: Retiring
) -> None:
    gate = {"metric": "f1", "min_delta": 0.0}
    await client.put(f"/aliases/{ALIAS}", json={"model": model, "gate": gate})
    vendor.retire()

    answer = await migrate(client, ALIAS)

    assert pointers(refused(answer, 422, "candidate_invalid")) == ["/promote/alias"]
    assert (await planned(client, ALIAS, promote=None))["baseline"]["kind"] == "base_model"


async def test_a_model_that_is_being_replaced_is_not_deleted(
    client: httpx.AsyncClient, model: str, elsewhere: Elsewhere
) -> None:
    elsewhere.order("submit", "later", times=1_000)
    created(await migrate(client, ALIAS, promote=None))
    await client.delete(f"/aliases/{ALIAS}")
    refused(await client.delete(f"/models/{model}"), 409, "model_in_use")
