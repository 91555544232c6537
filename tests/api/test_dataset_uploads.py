"""Datasets on their way in: every accepted form, versions, and the same content twice."""

import hashlib

import httpx
import pytest

from tests.api.given import PREFERENCE, created, dataset, rows, upload

PAIR = '{"prompt": "a", "completion": "b"}'
CHAT = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'
CANONICAL = b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n'
MESSAGES_PREFERENCE = {
    "prompt": [{"role": "user", "content": "Greet me."}],
    "chosen": [{"role": "assistant", "content": "Good morning!"}],
    "rejected": [{"role": "assistant", "content": "What?"}],
}


async def test_a_file_becomes_a_dataset(idle_client: httpx.AsyncClient) -> None:
    answer = await upload(idle_client, PAIR.encode())
    stored = created(answer)
    assert answer.headers["location"] == f"/datasets/{stored['id']}"
    assert stored["id"].startswith("ds_")
    assert (stored["name"], stored["version"], stored["kind"]) == ("mine", 1, "chat")
    assert (stored["status"], stored["format"]) == ("ready", "prompt_completion")
    assert (stored["examples"], stored["bytes"]) == (1, len(CANONICAL))
    assert stored["sha256"] == hashlib.sha256(CANONICAL).hexdigest()
    assert stored["created_at"].endswith("Z")


async def test_examples_may_come_as_json(idle_client: httpx.AsyncClient) -> None:
    stored = await dataset(idle_client, "inline", rows(1200))
    assert (stored["examples"], stored["version"]) == (1200, 1)


@pytest.mark.parametrize(
    "content",
    [
        CHAT.encode(),
        b"\xef\xbb\xbf" + PAIR.encode(),
        f"{PAIR}\r\n".encode(),
        f"\n\n  {PAIR}  \n\n".encode(),
    ],
    ids=["chat", "byte order mark", "CRLF", "blank lines"],
)
async def test_all_forms_are_kept_as_one(idle_client: httpx.AsyncClient, content: bytes) -> None:
    stored = created(await upload(idle_client, content))
    kept = await idle_client.get(f"/datasets/{stored['id']}/content")
    assert kept.content == CANONICAL


async def test_both_shapes_of_a_preference_are_the_same(idle_client: httpx.AsyncClient) -> None:
    plain = await dataset(idle_client, "plain", [PREFERENCE])
    messages = await dataset(idle_client, "messages", [MESSAGES_PREFERENCE])
    assert plain["kind"] == messages["kind"] == "preference"
    assert plain["sha256"] == messages["sha256"]


async def test_the_same_content_answers_the_version_that_holds_it(
    idle_client: httpx.AsyncClient,
) -> None:
    first = await upload(idle_client, PAIR.encode())
    again = await upload(idle_client, CHAT.encode())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_a_name_collects_versions(idle_client: httpx.AsyncClient) -> None:
    first, second = [await dataset(idle_client, "growing", rows(count)) for count in (1, 2)]
    assert [first["version"], second["version"]] == [1, 2]
    for reference, wanted in {
        "growing": second,
        "growing@1": first,
        "growing@2": second,
        first["id"]: first,
    }.items():
        assert (await idle_client.get(f"/datasets/{reference}")).json() == wanted


async def test_the_same_content_may_have_two_names(idle_client: httpx.AsyncClient) -> None:
    one, other = await dataset(idle_client, "one"), await dataset(idle_client, "other")
    assert one["sha256"] == other["sha256"]
    assert (await idle_client.delete("/datasets/one")).status_code == 204
    content = (await idle_client.get("/datasets/other/content")).content
    assert hashlib.sha256(content).hexdigest() == other["sha256"]


async def test_a_name_may_come_after_the_file(idle_client: httpx.AsyncClient) -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + PAIR.encode()
        + b'\r\n--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nlate\r\n--b--\r\n'
    )
    answer = await idle_client.post(
        "/datasets", content=form, headers={"content-type": "multipart/form-data; boundary=b"}
    )
    assert created(answer)["name"] == "late"
