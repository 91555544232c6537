"""A worker has no API: it tells its metrics where it is told to."""

import httpx
import pytest

from app.cli.service import free_port
from app.telemetry.counts import NotTold, telling


async def test_a_worker_tells_what_it_counts_while_it_works() -> None:
    place = f"127.0.0.1:{free_port()}"

    with telling(place):
        async with httpx.AsyncClient(timeout=60) as client:
            page = await client.get(f"http://{place}/metrics")

    assert "luthier_tick_seconds" in page.text
    with telling(place):
        pass


def test_a_place_that_is_taken_is_said() -> None:
    place = f"127.0.0.1:{free_port()}"
    with telling(place), pytest.raises(NotTold, match=place), telling(place):
        pass
