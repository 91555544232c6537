"""What becomes of a message: taken, tried again, given up, seen, sent again."""

import asyncio

import httpx
import pytest

from app.bootstrap import House
from app.domain.webhook_deliveries import WAITS
from app.network.courier import ANSWER_BYTES
from tests.api.given import Json
from tests.webhooks.given import (
    days_pass,
    deliveries_of,
    seen,
    tell,
    tick,
    verified,
    wait_over,
    webhook,
)
from tests.webhooks.receiver import SILENCE, Receiver


async def test_what_was_not_taken_comes_again_under_the_same_id(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    receiver.answers = [500, 301, 200]
    await tell(house)

    for _ in range(4):
        await tick(house)
        await wait_over(house)

    first, second, third = receiver.received
    assert first.id == second.id == third.id
    assert first.body == second.body == third.body
    assert verified(third, hook["secret"])
    [delivery] = await seen(idle_client, hook)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 3)
    assert delivery["message"] == first.json
    assert delivery["outcome"] == {"status": 200, "answer": "taken", "problem": None}


async def test_it_is_not_tried_before_its_time(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    receiver.answers = [500]
    await tell(house)

    assert await tick(house) == 1
    assert await tick(house) == 0

    [delivery] = await seen(idle_client, hook, state="pending")
    assert delivery["next_attempt_at"] > delivery["created_at"]
    assert len(receiver.received) == 1


async def test_what_nobody_takes_is_given_up_and_told(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    receiver.answers = [503] * 20
    await tell(house)

    for _ in range(len(WAITS) + 3):
        await tick(house)
        await wait_over(house)

    assert len(receiver.received) == len(WAITS) + 1
    [delivery] = await seen(idle_client, hook, state="dead")
    assert delivery["next_attempt_at"] is None
    [notice] = (await idle_client.get("/events?type=webhook.*")).json()["data"]
    assert (notice["type"], notice["subject"]) == ("webhook.delivery_failed", hook["id"])
    assert notice["data"]["delivery"] == delivery["id"]


async def test_a_redirect_is_no_answer(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    receiver.answers, receiver.headers = [302], "Location: /elsewhere"
    await tell(house)

    await tick(house)

    assert [one.path for one in receiver.received] == ["/hook"]
    [delivery] = await seen(idle_client, hook)
    assert (delivery["state"], delivery["outcome"]["status"]) == ("pending", 302)


async def test_of_an_answer_the_beginning_is_kept(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    receiver.reply = b"\0\xff" + b"x" * 100_000
    await tell(house)

    await tick(house)

    [delivery] = await seen(idle_client, hook)
    assert delivery["state"] == "delivered"
    assert len(delivery["outcome"]["answer"]) == ANSWER_BYTES


async def test_whoever_is_gone_is_disabled(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    receiver.answers = [410]
    await tell(house)

    await tick(house)
    await tell(house)

    shown = (await idle_client.get(f"/webhooks/{hook['id']}")).json()
    assert (shown["enabled"], "410" in shown["disabled_reason"]) == (False, True)
    [delivery] = await seen(idle_client, hook)
    assert delivery["state"] == "dead"
    notices = (await idle_client.get("/events?type=webhook.disabled")).json()["data"]
    assert [notice["subject"] for notice in notices] == [hook["id"]]


async def test_one_about_the_same_thing_waits_for_the_one_before(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    await webhook(idle_client, receiver.url)
    receiver.answers = [500, 500]
    for type_ in ("job.created", "job.running", "job.succeeded"):
        await tell(house, type_)
    await tell(house, "job.created", "job_2")

    told: list[str] = []
    for _ in range(5):
        await tick(house)
        await wait_over(house)
        told.append(" ".join(one.json["data"]["id"] for one in receiver.received))

    mine = [one.json["type"] for one in receiver.received if one.json["data"]["id"] == "job_1"]
    assert mine == ["job.created", "job.created", "job.running", "job.succeeded"]
    assert "job_2" in told[0]


async def test_an_endpoint_that_fails_is_left_alone_and_the_others_are_not(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, f"{receiver.url}/broken", "job.failed")
    await webhook(idle_client, f"{receiver.url}/fine", "job.succeeded")
    receiver.answers = [500]
    await tell(house, "job.failed", "job_1")
    await tick(house)

    await tell(house, "job.failed", "job_2")
    await tell(house, "job.succeeded", "job_3")
    await tick(house)

    assert [one.path for one in receiver.received] == ["/hook/broken", "/hook/fine"]
    shown = (await idle_client.get(f"/webhooks/{hook['id']}")).json()
    assert shown["failing_since"] is not None
    await wait_over(house)
    await tick(house)
    shown = (await idle_client.get(f"/webhooks/{hook['id']}")).json()
    assert shown["failing_since"] is None


async def test_any_delivery_can_be_sent_again(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    await tell(house)
    await tick(house)
    [delivery] = await seen(idle_client, hook)

    path = f"/webhooks/{hook['id']}/deliveries/{delivery['id']}/resend"
    answer = await idle_client.post(path)
    await tick(house)

    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    [delivery] = await seen(idle_client, hook)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)


async def test_two_replicas_send_each_message_once(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    await webhook(idle_client, receiver.url)
    for number in range(15):
        await tell(house, subject=f"job_{number}")

    one, other = deliveries_of(house), deliveries_of(house)
    while any(await asyncio.gather(one.tick(), other.tick(), one.tick())):
        pass

    assert len(receiver.received) == len({message.id for message in receiver.received}) == 15


async def test_whoever_dies_before_writing_lets_it_come_again(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    receiver.answers = [SILENCE]
    await tell(house)
    dying = asyncio.create_task(tick(house))
    first = await receiver.next()
    dying.cancel()
    await asyncio.wait({dying})

    await wait_over(house)
    await tick(house)

    assert first.id == (await receiver.next()).id
    [delivery] = await seen(idle_client, hook)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)


async def test_whoever_comes_back_late_writes_nothing(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    receiver.answers = [SILENCE]
    await tell(house)
    late = asyncio.create_task(tick(house))
    await receiver.next()

    [delivery] = await seen(idle_client, hook)
    await idle_client.post(f"/webhooks/{hook['id']}/deliveries/{delivery['id']}/resend")
    await tick(house)
    receiver.hang_up()
    await late

    [delivery] = await seen(idle_client, hook)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)


async def test_nothing_is_sent_to_a_disabled_endpoint_until_it_is_enabled(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    path = f"/webhooks/{hook['id']}"
    await tell(house, subject="job_1")
    await idle_client.patch(path, json={"enabled": False})
    await tell(house, subject="job_2")
    assert await tick(house) == 0
    assert (await idle_client.post(f"{path}/test")).json()["code"] == "webhook_disabled"

    changed = await idle_client.patch(path, json={"enabled": True})
    await tick(house)

    assert changed.json()["enabled"]
    assert [one.json["data"]["id"] for one in receiver.received] == ["job_1"]


async def test_a_removed_endpoint_is_sent_nothing(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    await tell(house)

    assert (await idle_client.delete(f"/webhooks/{hook['id']}")).status_code == 204
    assert await tick(house) == 0
    assert (await idle_client.get(f"/webhooks/{hook['id']}")).json()["code"] == "webhook_not_found"


@pytest.mark.parametrize("path", ["", "/deliveries"])
async def test_pages_lead_on(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver, path: str
) -> None:
    hooks = [await webhook(idle_client, receiver.url) for _ in range(3)]
    for number in range(3):
        await tell(house, subject=f"job_{number}")
    place = f"/webhooks/{hooks[0]['id']}{path}" if path else "/webhooks"

    found: list[Json] = []
    cursor = ""
    while cursor is not None:
        asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await idle_client.get(place, params=asked)).json()
        found += page["data"]
        cursor = page["next_cursor"]

    assert len(found) == len({one["id"] for one in found}) == 3


async def test_what_is_old_is_forgotten_and_what_is_unwanted_given_up(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    await tell(house, subject="job_1")
    await tick(house)
    await tell(house, subject="job_2")
    await idle_client.patch(f"/webhooks/{hook['id']}", json={"enabled": False})

    await days_pass(house, 2)
    await deliveries_of(house).tidy()
    states = [one["state"] for one in await seen(idle_client, hook)]
    await days_pass(house, 30)
    forgotten = await deliveries_of(house).tidy()

    assert states == ["dead", "delivered"]
    assert forgotten == 2
    assert await seen(idle_client, hook) == []


async def test_an_endpoint_can_be_changed(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url, "job.*", description="tickets")
    path = f"/webhooks/{hook['id']}"
    private = await idle_client.patch(path, json={"url": "https://10.0.0.1/"})
    unknown = await idle_client.patch(path, json={"events": ["none"]})
    changes = {"url": f"{receiver.url}/new", "events": ["model.*"], "description": None}
    changed = await idle_client.patch(path, json=changes)

    await tell(house, "job.succeeded")
    await tell(house, "model.created", "model_1")
    await tick(house)

    assert (private.json()["code"], unknown.json()["code"]) == ("url_refused", "event_type_unknown")
    assert changed.json()["description"] == "tickets"
    assert [one.path for one in receiver.received] == ["/hook/new"]
    assert receiver.types == ["model.created"]
