"""What is told: jobs, evaluations, models and aliases, signed, in two forms."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import openai
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from app.bootstrap import House
from app.domain.aliases import DecisionKind
from app.domain.jobs import JobStatus
from app.domain.webhook_deliveries import Told
from app.domain.webhook_endpoints import EVENT_TYPES, WebhookFormat
from app.reconciler import radar
from app.services.webhook_endpoints import WantedWebhook
from app.storage import webhook_deliveries
from app.storage.tenancy import Tenant, working_for
from tests.api.given import judged, tuned
from tests.reconciling import shop_of, tuned_at_rest
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider
from tests.webhooks.given import open_house, seen, tell, tick, verified, webhook
from tests.webhooks.receiver import Receiver

ROOT = Path(__file__).parents[2]


async def test_a_job_s_end_is_told_and_signed(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    hook = await webhook(client, receiver.url, "job.succeeded")

    model = await tuned(client)
    message = await receiver.next()

    told = verified(message, hook["secret"])
    [job] = (await client.get("/jobs")).json()["data"]
    assert told["type"] == "job.succeeded"
    assert told["timestamp"].endswith("Z")
    assert told["data"] == {"id": job["id"], "status": "succeeded", "details": {}}
    assert job["tuned_model"] == model
    assert message.headers["content-type"] == "application/json"


async def test_an_altered_message_does_not_verify(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)
    await tell(house)
    await tick(house)

    [message] = receiver.received
    altered = type(message)(message.path, message.headers, message.body.replace(b"job_1", b"job_2"))
    with pytest.raises(WebhookVerificationError):
        verified(altered, hook["secret"])


async def test_a_job_is_told_in_the_order_of_its_events(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    await webhook(client, receiver.url, "job.*")

    await tuned(client)
    while "job.succeeded" not in receiver.types:
        await receiver.next()

    [job] = (await client.get("/jobs")).json()["data"]
    events = (await client.get(f"/jobs/{job['id']}/events?limit=200")).json()["data"]
    assert receiver.types == [event["type"] for event in events]


async def test_models_evaluations_and_aliases_are_told(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    await webhook(client, receiver.url, "model.*", "evaluation.*", "alias.created")

    model = await tuned(client)
    evaluation = await judged(client, candidates=[model], metrics=["exact_match"])
    await client.put("/aliases/prod", json={"model": model})
    await client.delete("/aliases/prod")
    await client.delete(f"/models/{model}")
    while len(receiver.received) < 5:
        await receiver.next()

    told = {(one.json["type"], one.json["data"]["id"]) for one in receiver.received}
    assert told == {
        ("model.created", model),
        ("evaluation.created", evaluation["id"]),
        ("evaluation.succeeded", evaluation["id"]),
        ("alias.created", "prod"),
        ("model.deleted", model),
    }


async def test_nobody_is_told_what_he_did_not_ask_for(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    await webhook(idle_client, receiver.url, "job.failed", "model.*")

    await tell(house, "job.succeeded")
    await tell(house, "job.failed")
    await tick(house)

    assert receiver.types == ["job.failed"]


async def test_another_project_is_not_told(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    with working_for(Tenant("theirs")):
        theirs = WantedWebhook(
            url=receiver.url, events=["job.*"], description=None, format=WebhookFormat.STANDARD
        )
        await house.services.webhook_endpoints.create(theirs)
    await webhook(idle_client, f"{receiver.url}/ours")

    await tell(house)
    await tick(house)

    assert [one.path for one in receiver.received] == ["/hook/ours"]
    assert len((await idle_client.get("/webhooks")).json()["data"]) == 1


async def test_what_was_not_committed_is_not_told(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url)

    async with house.database.write() as connection:
        told = [Told("job.succeeded", "job_1")]
        await webhook_deliveries.tell(connection, told, project_id="default")
        await connection.rollback()

    assert await seen(idle_client, hook) == []


async def test_a_program_of_openai_s_sdk_understands(
    client: httpx.AsyncClient, receiver: Receiver
) -> None:
    hook = await webhook(client, receiver.url, format="openai")

    await tuned(client)
    message = await receiver.next()

    program = openai.OpenAI(api_key="none", webhook_secret=hook["secret"])
    event = program.webhooks.unwrap(message.body, message.headers)
    assert event.type == "fine_tuning.job.succeeded"
    assert event.id == message.id
    job = (await client.get(f"/openai/v1/fine_tuning/jobs/{event.data.id}")).json()
    assert (job["id"], job["status"]) == (event.data.id, "succeeded")
    assert len(receiver.received) == 1


async def test_a_test_in_openai_s_form_is_one_that_its_sdk_knows(
    idle_client: httpx.AsyncClient, house: House, receiver: Receiver
) -> None:
    hook = await webhook(idle_client, receiver.url, "job.failed", format="openai")
    assert (await idle_client.post(f"/webhooks/{hook['id']}/test")).status_code == 202

    await tick(house)

    [message] = receiver.received
    program = openai.OpenAI(api_key="none", webhook_secret=hook["secret"])
    assert program.webhooks.unwrap(message.body, message.headers).type.startswith("fine_tuning")


async def test_what_is_never_told_is_refused_with_what_is(idle_client: httpx.AsyncClient) -> None:
    body = {"url": "https://hooks.example/", "events": ["job.*", "job.exploded", "*"]}

    answer = await idle_client.post("/webhooks", json=body)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "event_type_unknown")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/events/1", "/events/2"]
    assert "job.succeeded" in problem["detail"]


async def test_openai_s_form_has_the_ends_of_jobs_only(idle_client: httpx.AsyncClient) -> None:
    body = {"url": "https://hooks.example/", "events": ["model.*"], "format": "openai"}

    answer = await idle_client.post("/webhooks", json=body)

    assert answer.json()["code"] == "event_type_unknown"
    assert "model" not in answer.json()["detail"]


def test_everything_that_is_told_can_be_asked_for() -> None:
    rooms = [ROOT / "app" / room for room in ("domain", "providers", "reconciler", "services")]
    source = "".join(path.read_text() for room in rooms for path in room.rglob("*.py"))

    told = set(re.findall(r'"((?:job|evaluation|model|alias)\.[a-z_]+)"', source))
    told |= {f"alias.{kind}" for kind in DecisionKind}
    told |= {f"job.{status}" for status in JobStatus} - {"job.queued"}
    told |= {f"job.{wish}_requested" for wish in ("pause", "resume", "cancel")}

    assert told == set(EVENT_TYPES)


async def test_the_end_of_a_model_is_told_ahead(
    database_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    ends_at = datetime.now(UTC).date() + timedelta(days=45)
    vendor = SimulatedProvider.at(tmp_path / "vendor", serving_ends_at=ends_at)
    house = open_house(database_url, tmp_path, vendor)
    async with api(house, reconcile=False) as client:
        model = await tuned_at_rest(client, house)
        await webhook(client, receiver.url, "model.retiring")

        for _ in range(2):
            await radar.tick(shop_of(house))
            await tick(house)

    [message] = receiver.received
    assert message.json["data"]["id"] == model
    assert message.json["data"]["details"]["ends_at"] == ends_at.isoformat()
