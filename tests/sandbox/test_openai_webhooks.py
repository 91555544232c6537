"""Webhooks from the simulated OpenAI, read by the SDK that verifies them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
from openai import AsyncOpenAI, InvalidWebhookSignatureError
from openai.types.webhooks import FineTuningJobSucceededWebhookEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox.frame.connections import Connections
from app.sandbox.frame.serving import HOST, Server
from app.sandbox.frame.typed import complaints
from app.sandbox.openai.conditions import SECRET
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.sandbox import given


@dataclass(frozen=True)
class Letter:
    body: bytes
    headers: dict[str, str]


class Receiver:
    """A server that webhooks are sent to."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._letters: asyncio.Queue[Letter] = asyncio.Queue()
        app = Starlette(routes=[Route("/", self._take, methods=["POST"])])
        self.server = Server(app, Connections(), lambda: None, 0)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server.port}/"

    async def next(self) -> Letter:
        return await self._letters.get()

    async def _take(self, request: Request) -> Response:
        letter = Letter(await request.body(), dict(request.headers))
        self._loop.call_soon_threadsafe(self._letters.put_nowait, letter)
        return Response()


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    receiver.server.start()
    yield receiver
    receiver.server.stop()


async def test_a_finished_job_is_announced(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI, receiver: Receiver
) -> None:
    simulated.change(webhooks={"url": receiver.url})
    job = await given.a_finished_job(openai)

    letter = await receiver.next()

    assert complaints(FineTuningJobSucceededWebhookEvent, json.loads(letter.body)) == []
    event = openai.webhooks.unwrap(letter.body, letter.headers, secret=SECRET)
    assert event.type == "fine_tuning.job.succeeded"
    assert event.data.id == job.id


async def test_webhooks_come_twice_and_in_any_order(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI, receiver: Receiver
) -> None:
    simulated.change(webhooks={"url": receiver.url, "held": True})
    for _ in range(2):
        await openai.fine_tuning.jobs.cancel((await given.a_job(openai)).id)
    first, second = simulated.webhooks

    statuses = [await simulated.deliver(notice) for notice in (second, first, second)]

    names = [(await receiver.next()).headers["webhook-id"] for _ in range(3)]
    assert statuses == [200, 200, 200]
    assert names == [second.id, first.id, second.id]


async def test_a_replayed_webhook_is_too_old(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI, receiver: Receiver
) -> None:
    simulated.change(webhooks={"url": receiver.url, "held": True})
    simulated.fail((await given.a_job(openai)).id)

    await simulated.deliver(simulated.webhooks[0], age_seconds=301)

    letter = await receiver.next()
    with pytest.raises(InvalidWebhookSignatureError, match="too old"):
        openai.webhooks.unwrap(letter.body, letter.headers, secret=SECRET)


async def test_nobody_answers(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.change(webhooks={"url": "http://127.0.0.1:1/", "held": True})
    simulated.fail((await given.a_job(openai)).id)

    status = await simulated.deliver(simulated.webhooks[0])

    assert status is None
    assert simulated.webhooks[0].answers == [None]
