"""The control endpoints, and what a simulator remembers."""

from collections import Counter

import httpx
import pytest
from openai import AsyncOpenAI

from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.sandbox import given


async def test_a_fault_is_ordered_by_http(wire: httpx.AsyncClient) -> None:
    order = {"fault": {"kind": "failure", "status": 503}, "path": "/v1/models", "times": 2}

    ordered = await wire.post("/__sandbox__/orders", json=order)
    first = await wire.get("/v1/models")
    opened = (await wire.get("/__sandbox__/orders")).json()
    await wire.delete("/__sandbox__/orders")
    second = await wire.get("/v1/models")

    assert (ordered.status_code, first.status_code, second.status_code) == (204, 503, 200)
    assert [order["times"] for order in opened] == [1]


async def test_a_fault_may_fall_to_a_share_of_the_requests(wire: httpx.AsyncClient) -> None:
    fault = {"kind": "failure", "status": 503}
    order = {"fault": fault, "path": "/v1/models", "times": 1000, "share": 0.3}
    await wire.post("/__sandbox__/orders", json=order)

    statuses = Counter([(await wire.get("/v1/models")).status_code for _ in range(100)])

    assert statuses.keys() == {200, 503}
    assert statuses[200] > statuses[503]


async def test_what_makes_no_sense_is_refused(wire: httpx.AsyncClient) -> None:
    orders = await wire.post("/__sandbox__/orders", json={"fault": {"kind": "flood"}, "path": "/"})
    conditions = await wire.patch("/__sandbox__/conditions", json=["file_looks"])
    creations = await wire.get("/__sandbox__/creations")

    assert {answer.status_code for answer in (orders, conditions, creations)} == {400}


async def test_requests_are_remembered_without_secrets(
    openai: AsyncOpenAI, wire: httpx.AsyncClient, simulated: SimulatedOpenAI
) -> None:
    await given.a_job(openai, metadata={"key": "a"})

    remembered = (await wire.get("/__sandbox__/requests")).json()

    assert [(each["method"], each["status"]) for each in remembered] == [("POST", 200)] * 2
    assert remembered[0]["body"] == {"file": "train.jsonl", "purpose": "fine-tune"}
    assert remembered[1]["body"]["metadata"] == {"key": "a"}
    assert "authorization" not in remembered[1]["headers"]
    assert "sk-test" not in str(simulated.requests)


async def test_jobs_are_moved_by_http(openai: AsyncOpenAI, wire: httpx.AsyncClient) -> None:
    job = await given.a_job(openai, metadata={"key": "a"})

    pace = await wire.patch("/__sandbox__/conditions", json={"pace": {"by": "order"}})
    await wire.post("/__sandbox__/jobs/advance", json={"beats": 2, "job": job.id})
    moved = await openai.fine_tuning.jobs.retrieve(job.id)
    await wire.post(f"/__sandbox__/jobs/{job.id}/fail", json={})
    failed = await openai.fine_tuning.jobs.retrieve(job.id)

    assert pace.json()["pace"]["by"] == "order"
    assert (moved.status, failed.status) == ("running", "failed")
    assert (await wire.get("/__sandbox__/creations?key=key")).json() == {"a": 1}
    assert (await wire.get("/__sandbox__/violations")).json() == []


async def test_time_passes_by_http(openai: AsyncOpenAI, wire: httpx.AsyncClient) -> None:
    await wire.patch("/__sandbox__/conditions", json={"pace": {"by": "clock", "seconds": 60}})
    job = await given.a_job(openai)

    await wire.post("/__sandbox__/clock", json={"seconds": 301})

    assert (await openai.fine_tuning.jobs.retrieve(job.id)).status == "succeeded"


async def test_conditions_change_together_or_not_at_all(
    wire: httpx.AsyncClient, simulated: SimulatedOpenAI
) -> None:
    changes = {"training_beats": 9, "file_looks": -1}

    answer = await wire.patch("/__sandbox__/conditions", json=changes)

    assert answer.status_code == 400
    assert simulated.conditions.training_beats == 3


async def test_a_webhook_is_sent_by_http(openai: AsyncOpenAI, wire: httpx.AsyncClient) -> None:
    await openai.fine_tuning.jobs.cancel((await given.a_job(openai)).id)

    notice = (await wire.get("/__sandbox__/webhooks")).json()[0]
    sent = await wire.post(f"/__sandbox__/webhooks/{notice['id']}/deliver", json={})

    assert notice["payload"]["type"] == "fine_tuning.job.cancelled"
    assert sent.json() == {"status": None}


async def test_nothing_leaves_this_machine(wall: list[str]) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for url in ("http://192.0.2.1/", "https://api.openai.com/v1/models"):
            with pytest.raises(httpx.ConnectError):
                await client.get(url)

    assert wall == ["192.0.2.1", "api.openai.com"]
    wall.clear()
