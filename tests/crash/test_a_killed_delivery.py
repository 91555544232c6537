"""The service dies by kill -9 with a message under way: it comes again, as the same message."""

from pathlib import Path

import httpx
import pytest

from app.bootstrap import House
from tests.api.given import pause
from tests.crash.following import add_dataset, finished, queue_job
from tests.crash.processes import Luthier
from tests.simulated.simulated_provider import SimulatedProvider
from tests.webhooks.given import open_house, seen, verified, webhook
from tests.webhooks.receiver import SILENCE, receiving


@pytest.fixture
def house(database_url: str, tmp_path: Path, vendor: SimulatedProvider) -> House:
    """The whole service, whose operator opened loopback."""
    return open_house(database_url, tmp_path, vendor)


async def test_what_was_under_way_at_a_kill_comes_again_under_the_same_id(
    idle_client: httpx.AsyncClient, luthier: Luthier
) -> None:
    async with receiving() as receiver:
        hook = await webhook(idle_client, receiver.url, "job.succeeded")
        receiver.answers = [SILENCE]
        await add_dataset(idle_client)
        job = await queue_job(idle_client)
        await luthier.start()
        await finished(idle_client, job)
        first = await receiver.next()
        await luthier.kill()

        await luthier.start()
        again = await receiver.next()

        assert first.id == again.id
        assert verified(again, hook["secret"])["data"]["id"] == job
        while (await seen(idle_client, hook))[0]["state"] != "delivered":
            await pause()
        [delivery] = await seen(idle_client, hook)
        assert delivery["attempts"] == 1
