"""The engine: many metrics, a judge, a gate, a budget, errors that are shown, kept answers."""

from typing import Any

import httpx
import pytest

from tests.api.expect import pointers, refused
from tests.api.given import Json, at_its_end, created, dataset, judged, rows
from tests.evaluations.conftest import Tick
from tests.evaluations.scripted import ScriptedVendor

MUTE, ECHO, JUDGE = "simulated/mute", "simulated/echo", "simulated/judge"
BOTH = [MUTE, ECHO]
RUBRIC = {"model": JUDGE, "rubric": "Repeat what is asked."}


async def finished(client: httpx.AsyncClient, tick: Tick, evaluation: Json) -> Json:
    """The evaluation after as many ticks as it takes."""
    while evaluation["finished_at"] is None:
        await tick()
        evaluation = await read(client, evaluation)
    return evaluation


async def read(client: httpx.AsyncClient, evaluation: Json) -> Json:
    """The evaluation as it stands."""
    return (await client.get(f"/evaluations/{evaluation['id']}")).json()


def means(evaluation: Json, candidate: str) -> dict[str, float]:
    """A candidate's means by metric."""
    return {
        one["metric"]: one["mean"] for one in evaluation["scores"] if one["candidate"] == candidate
    }


async def test_every_metric_is_summed_up(client: httpx.AsyncClient) -> None:
    await dataset(client)
    quality = ["exact_match", "f1", "rouge_l", "bleu", "chrf", "edit_similarity"]
    usage = ["latency", "input_tokens", "output_tokens", "cost"]
    evaluation = await judged(client, candidates=BOTH, metrics=[*quality, *usage, "json_fields"])
    assert evaluation["error"] is None
    found = means(evaluation, ECHO)
    assert {name: found[name] for name in quality} == pytest.approx(dict.fromkeys(quality, 1.0))
    assert (found["input_tokens"], found["output_tokens"], found["cost"]) == (2.0, 2.0, 6.0)
    assert found["latency"] >= 0
    assert found["json_fields"] is None
    assert evaluation["cost_usd"] == 12 * (2 + 4 * 2) + 12 * 6


async def test_labels_bring_a_report_and_slices(client: httpx.AsyncClient) -> None:
    labels = [{"prompt": label, "completion": label} for label in ("yes", "no") * 6]
    await dataset(client, "labels", [*labels, {"prompt": "no", "completion": "yes"}])
    metrics = ["macro_f1", "accuracy"]
    tags = {"odd": [13]}
    evaluation = await judged(client, dataset="labels", candidates=BOTH, metrics=metrics, tags=tags)
    [mute, echo] = evaluation["findings"]["classifications"]
    assert (mute["accuracy"], echo["labels"], echo["confusion"]) == (
        0.0,
        ["yes", "no"],
        [[6, 1, 0], [0, 6, 0]],
    )
    assert means(evaluation, ECHO)["macro_f1"] == pytest.approx(echo["macro_f1"])
    slices = {
        one["slice"]: (one["mean"], one["examples"])
        for one in evaluation["findings"]["slices"]
        if (one["candidate"], one["metric"]) == (ECHO, "accuracy")
    }
    assert slices["tag:odd"] == (0.0, 1)
    assert slices["label:no"] == (1.0, 6)
    assert slices["length:up_to_50"] == (pytest.approx(12 / 13), 13)


async def test_calls_of_tools_are_asked_for_and_compared(client: httpx.AsyncClient) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    call = {
        "id": "1",
        "type": "function",
        "function": {"name": "look", "arguments": '{"where": "up"}'},
    }
    turns = [{"role": "user", "content": "up"}, {"role": "assistant", "tool_calls": [call]}]
    wrong = [{"role": "user", "content": "down"}, {"role": "assistant", "tool_calls": [call]}]
    await dataset(
        client, "calls", [{"messages": one, "tools": [tool]} for one in (turns, turns, wrong)]
    )
    evaluation = await judged(client, dataset="calls", candidates=[ECHO], metrics=["tool_calls"])
    assert means(evaluation, ECHO)["tool_calls"] == pytest.approx(2 / 3)
    path = f"/evaluations/{evaluation['id']}/examples?sort=worst"
    [worst, *_] = (await client.get(path)).json()["data"]
    assert worst["line"] == 3
    assert worst["answers"][0]["tool_calls"][0]["function"]["name"] == "look"
    assert '"look"' in worst["expected"]


async def test_a_judge_marks_answers_and_people_agree(
    client: httpx.AsyncClient, vendor: ScriptedVendor
) -> None:
    vendor.ruling = lambda asked: {"score": 1 if "I do not know" in asked else 5}
    await dataset(client)
    ratings = [
        {"line": 1, "candidate": MUTE, "score": 1},
        {"line": 1, "candidate": ECHO, "score": 5},
    ]
    evaluation = await judged(
        client, candidates=BOTH, metrics=["judge"], judge=RUBRIC, ratings=ratings
    )
    assert (means(evaluation, MUTE), means(evaluation, ECHO)) == ({"judge": 0.0}, {"judge": 1.0})
    assert (evaluation["judged"], evaluation["to_judge"]) == (24, 24)
    [agreement] = evaluation["findings"]["agreements"]
    assert (agreement["ratings"], agreement["kappa"]) == (2, 1.0)
    path = f"/evaluations/{evaluation['id']}/examples?limit=1"
    [example] = (await client.get(path)).json()["data"]
    assert [one["verdict"] for one in example["judgements"]] == [1.0, 0.0]


async def test_a_judge_who_likes_the_first_answer_best_finds_a_tie(
    client: httpx.AsyncClient, vendor: ScriptedVendor
) -> None:
    vendor.ruling = lambda asked: {"winner": "A"}
    await dataset(client)
    pairwise = RUBRIC | {"mode": "pairwise"}
    evaluation = await judged(client, candidates=BOTH, metrics=["judge"], judge=pairwise)
    assert (means(evaluation, MUTE), means(evaluation, ECHO)) == ({"judge": 0.5}, {"judge": 0.5})
    assert evaluation["judged"] == 24


async def test_a_judge_who_cannot_be_understood_fails_the_evaluation(
    client: httpx.AsyncClient, vendor: ScriptedVendor
) -> None:
    vendor.ruling = lambda asked: {"opinion": "nice"}
    await dataset(client)
    evaluation = await judged(client, candidates=[ECHO], metrics=["judge"], judge=RUBRIC)
    assert (evaluation["status"], evaluation["error"]["code"]) == ("failed", "judge_unreadable")
    assert evaluation["answered"] == 12


async def test_a_new_metric_costs_no_new_answer(
    client: httpx.AsyncClient, vendor: ScriptedVendor
) -> None:
    await dataset(client)
    evaluation = await judged(client, candidates=BOTH)
    asked = len(vendor.asked())
    body = {"metrics": ["rouge_l", "judge"], "judge": RUBRIC}
    answer = await client.post(f"/evaluations/{evaluation['id']}/metrics", json=body)
    assert (answer.status_code, answer.json()["finished_at"]) == (202, None)
    again = await at_its_end(client, f"/evaluations/{evaluation['id']}")
    assert means(again, ECHO) == {"exact_match": 1.0, "rouge_l": 1.0, "judge": 0.5}
    assert all("<answer>" in one for one in vendor.asked()[asked:])
    assert len(vendor.asked()) == asked + 24


async def test_only_what_succeeded_is_scored_again(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    body = {"dataset": "echo", "candidates": BOTH}
    evaluation = created(await idle_client.post("/evaluations", json=body))
    path = f"/evaluations/{evaluation['id']}/metrics"
    refused(await idle_client.post(path, json={"metrics": ["f1"]}), 409, "evaluation_incomplete")
    refused(await idle_client.post(path, json={"metrics": ["x"]}), 422, "candidate_invalid")
    refused(await idle_client.post(path, json={"metrics": ["judge"]}), 422, "candidate_invalid")


async def test_a_gate_tells_the_numbers_that_decided(client: httpx.AsyncClient) -> None:
    await dataset(client)
    await dataset(
        client, "old", [{"prompt": f"{n}", "completion": "I do not know."} for n in range(12)]
    )
    guards = [{"dataset": "old", "max_drop": 0.1}, {"metric": "f1", "max_drop": 0}]
    gate = {"metric": "exact_match", "min_delta": 0.1, "guards": guards}
    evaluation = await judged(client, candidates=BOTH, gate=gate)
    assert evaluation["metrics"] == ["exact_match", "f1"]
    assert evaluation["passed"] is False
    [verdict] = evaluation["findings"]["verdicts"]
    assert (verdict["candidate"], verdict["passed"]) == (ECHO, False)
    assert verdict["gate"] | {"reason": ""} == {
        "metric": "exact_match",
        "dataset": None,
        "evaluation": None,
        "gain": 1.0,
        "lower_bound": 1.0,
        "needed": 0.1,
        "examples": 12,
        "passed": True,
        "reason": "",
    }
    elsewhere, here = verdict["guards"]
    assert (elsewhere["dataset"]["name"], elsewhere["gain"]) == ("old", -1.0)
    assert (elsewhere["passed"], here["passed"]) == (False, True)
    beside = await read(client, {"id": elsewhere["evaluation"]})
    assert (beside["status"], beside["gate"]) == ("succeeded", None)


async def test_answers_stop_before_they_cost_too_much(
    idle_client: httpx.AsyncClient, tick: Tick, vendor: ScriptedVendor
) -> None:
    await dataset(idle_client, "echo", rows(40))
    body = {"dataset": "echo", "candidates": [ECHO], "max_cost_usd": "150"}
    evaluation = created(await idle_client.post("/evaluations", json=body))
    assert evaluation["max_cost_usd"] == "150"
    done = await finished(idle_client, tick, evaluation)
    assert (done["status"], done["error"]["code"]) == ("failed", "over_budget")
    assert 1 < done["answered"] < 40
    assert done["cost_usd"] == 6 * done["answered"] <= 150
    assert len(vendor.asked()) == done["answered"]
    examples = (await idle_client.get(f"/evaluations/{done['id']}/examples?limit=200")).json()
    assert len(examples["data"]) == done["answered"]


async def test_a_budget_needs_a_price(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client)
    body = {"dataset": "echo", "candidates": [ECHO, "simulated/unpriced"], "max_cost_usd": 1}
    problem = refused(await idle_client.post("/evaluations", json=body), 422, "over_budget")
    assert pointers(problem) == ["/candidates/1"]


async def test_an_example_that_is_refused_counts_as_an_error(client: httpx.AsyncClient) -> None:
    bad = {"prompt": "forbidden", "completion": "forbidden"}
    await dataset(client, "mixed", [*rows(3), bad])
    metrics = ["exact_match", "output_tokens"]
    evaluation = await judged(client, dataset="mixed", candidates=[ECHO], metrics=metrics)
    assert (evaluation["status"], evaluation["errors"]) == ("succeeded", {ECHO: 1})
    assert means(evaluation, ECHO) == {"exact_match": 0.75, "output_tokens": 2.0}
    path = f"/evaluations/{evaluation['id']}/examples?sort=worst"
    [worst, *_] = (await client.get(path)).json()["data"]
    assert worst["answers"][0]["refusal"] == "The prompt is forbidden."


async def test_a_few_that_never_get_an_answer_are_errors_in_the_end(
    idle_client: httpx.AsyncClient, tick: Tick, vendor: ScriptedVendor
) -> None:
    broken = {"prompt": "broken", "completion": "broken"}
    await dataset(idle_client, "mixed", [broken, *rows(3)])
    body = {"dataset": "mixed", "candidates": [ECHO]}
    evaluation = created(await idle_client.post("/evaluations", json=body))
    done = await finished(idle_client, tick, evaluation)
    assert (done["status"], done["errors"], means(done, ECHO)) == (
        "succeeded",
        {ECHO: 1},
        {"exact_match": 0.75},
    )
    assert vendor.asked().count("say 0") == 1
    assert vendor.asked().count("broken") > 1


@pytest.mark.parametrize(
    ("prompt", "code"), [("forbidden", "too_many_errors"), ("broken", "model_unavailable")]
)
async def test_too_many_errors_fail_the_evaluation(
    idle_client: httpx.AsyncClient, tick: Tick, prompt: str, code: str
) -> None:
    await dataset(
        idle_client,
        "bad",
        [{"prompt": f"{prompt} {n}", "completion": "x"} for n in range(3)] + rows(1),
    )
    body = {"dataset": "bad", "candidates": [ECHO]}
    evaluation = created(await idle_client.post("/evaluations", json=body))
    done = await finished(idle_client, tick, evaluation)
    assert (done["status"], done["error"]["code"]) == ("failed", code)
    assert done["error"]["message"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"metrics": ["judge"]}, "/judge"),
        ({"metrics": ["judge"], "judge": RUBRIC | {"model": "model_none"}}, "/judge/model"),
        ({"metrics": ["judge"], "judge": RUBRIC | {"mode": "pairwise"}}, "/candidates"),
        ({"gate": {"metric": "f1", "min_delta": 0.1}}, "/candidates"),
        ({"ratings": [{"line": 1, "candidate": "x", "score": 1}]}, "/ratings/0/candidate"),
    ],
)
async def test_what_does_not_fit_together_is_refused(
    idle_client: httpx.AsyncClient, body: Json, where: str
) -> None:
    await dataset(idle_client)
    asked: dict[str, Any] = {"dataset": "echo", "candidates": [ECHO]} | body
    problem = refused(await idle_client.post("/evaluations", json=asked), 422, "candidate_invalid")
    assert pointers(problem) == [where]


@pytest.mark.parametrize(
    "gate",
    [
        {"metric": "f1"},
        {"metric": "f1", "min_delta": 0.1, "non_inferiority_margin": 0.1},
        {"metric": "f1", "min_delta": 0.1, "guards": [{"max_drop": 0.1}]},
        {"metric": "f1", "min_delta": 0.1, "confidence": 2},
    ],
)
async def test_a_gate_says_one_thing(idle_client: httpx.AsyncClient, gate: Json) -> None:
    body = {"dataset": "echo", "candidates": BOTH, "gate": gate}
    refused(await idle_client.post("/evaluations", json=body), 422, "invalid_request")
