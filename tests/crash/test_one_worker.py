"""The embedded database has one worker, and a second one is told so."""

import pytest

from app.bootstrap import House
from tests.crash.processes import Luthier


@pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)
async def test_f17_a_second_worker_on_sqlite_is_told_to_take_postgres(
    luthier: Luthier, house: House
) -> None:
    await luthier.start()
    await luthier.ready()
    second = Luthier(house, providers=luthier.providers)
    await second.start("worker")
    assert await second.ended() == 2
    last_words = second.log().splitlines()[-1]
    assert last_words.startswith("luthier: Another process works on")
    assert "LUTHIER_DATABASE_URL" in last_words
