"""The courier: messages go to public addresses only, whatever a name says a moment later."""

import pytest

from app.domain.errors import UrlRefused
from app.network.courier import Courier
from tests.network.hosts import LOOPBACK, Names, listening, redirect
from tests.webhooks.receiver import SILENCE, receiving

PRIVATE = [
    "http://127.0.0.1/",
    "https://localhost/",
    "https://10.0.0.1/hook",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",
    "http://8.8.8.8/plain",
    "https://user:secret@hooks.example/",
    "gopher://8.8.8.8/",
    "hooks.example",
]


@pytest.mark.parametrize("url", PRIVATE)
async def test_these_are_neither_accepted_nor_sent_to(url: str) -> None:
    courier = Courier()

    with pytest.raises(UrlRefused):
        await courier.check(url)
    outcome = await courier.post(url, {}, b"{}")

    assert (outcome.status, outcome.is_delivered) == (None, False)


async def test_a_name_that_changes_its_mind_reaches_nobody() -> None:
    names = Names(hooks=[["8.8.8.8"], ["127.0.0.1"]])
    async with receiving() as receiver:
        url = receiver.url.replace("http://127.0.0.1", "https://hooks")
        courier = Courier(resolve=names.resolve)

        await courier.check(url)
        outcome = await courier.post(url, {}, b"{}")

    assert "public" in (outcome.problem or "")
    assert receiver.received == []


async def test_a_name_is_resolved_once_for_each_message() -> None:
    names = Names(hooks=[["127.0.0.1"]])
    async with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "hooks")
        outcome = await Courier(LOOPBACK, resolve=names.resolve).post(url, {"a": "b"}, b"{}")

    [message] = receiver.received
    assert outcome.is_delivered
    assert names.asked == ["hooks"]
    assert message.headers["host"].startswith("hooks:")
    assert (message.headers["a"], message.body) == ("b", b"{}")


async def test_a_name_without_an_address_may_get_one() -> None:
    names = Names(hooks=[[]])

    await Courier(resolve=names.resolve).check("https://hooks/")


async def test_no_redirect_is_followed() -> None:
    async with listening({"/": redirect("/secret"), "/secret": []}) as host:
        outcome = await Courier(LOOPBACK).post(f"http://127.0.0.1:{host.port}/", {}, b"{}")

    assert (outcome.status, host.visits) == (302, 1)


async def test_whoever_keeps_silent_is_not_waited_for() -> None:
    async with receiving() as receiver:
        receiver.answers = [SILENCE]
        outcome = await Courier(LOOPBACK, timeout=0.2).post(receiver.url, {}, b"{}")

    assert outcome.problem == "No answer came within 0.2 seconds."


async def test_a_status_counts_also_where_the_rest_does_not_come() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntak"
    async with listening({"/": [head, b""]}) as host:
        courier = Courier(LOOPBACK, timeout=2.0)
        outcome = await courier.post(f"http://127.0.0.1:{host.port}/", {}, b"{}")

    assert (outcome.status, outcome.is_delivered) == (200, True)


async def test_nobody_at_home_is_an_outcome() -> None:
    async with listening({}) as host:
        port = host.port

    outcome = await Courier(LOOPBACK).post(f"http://127.0.0.1:{port}/", {}, b"{}")

    assert "cannot be reached" in (outcome.problem or "")
