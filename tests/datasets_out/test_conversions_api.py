"""Downloads over HTTP: in every form and container, or refused with what would be lost."""

import gzip
import json

import httpx
import pytest

from tests.api.expect import refused
from tests.api.given import Json, dataset, preferences, rows
from tests.datasets_in.reading import take_in

CONTENT = "/datasets/echo/content"
WEIGHED: Json = {
    "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "weight": 1},
    ]
}
LONG: Json = {"messages": WEIGHED["messages"] * 2}


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("container", ["jsonl", "json", "csv", "tsv", "parquet"])
async def test_a_download_comes_in_again_as_the_same_version(
    idle_client: httpx.AsyncClient, container: str, compression: str
) -> None:
    stored = await dataset(idle_client)
    asked = {"format": "instruction", "container": container, "compression": compression}
    answer = await idle_client.get(CONTENT, params=asked)
    assert answer.status_code == 200, answer.text
    again = await idle_client.post(
        "/datasets", data={"name": "echo"}, files={"file": answer.content}
    )
    assert (again.status_code, again.json()["id"]) == (200, stored["id"])


@pytest.mark.parametrize(
    ("asked", "media_type", "name"),
    [
        ("", "application/jsonl", "echo-1.jsonl"),
        ("format=chat&compression=gzip", "application/gzip", "echo-1.jsonl.gz"),
        ("container=json", "application/json", "echo-1.json"),
        ("format=sharegpt&container=csv", "text/csv; charset=utf-8", "echo-1-sharegpt.csv"),
        ("container=parquet", "application/vnd.apache.parquet", "echo-1.parquet"),
        ("container=tsv&compression=zstd", "application/zstd", "echo-1.tsv.zst"),
    ],
)
async def test_a_file_says_what_it_is(
    idle_client: httpx.AsyncClient, asked: str, media_type: str, name: str
) -> None:
    await dataset(idle_client)
    answer = await idle_client.get(f"{CONTENT}?{asked}")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


async def test_the_form_that_is_kept_is_sent_as_it_is(idle_client: httpx.AsyncClient) -> None:
    stored = await dataset(idle_client, examples=preferences())
    plain = await idle_client.get(CONTENT)
    named = await idle_client.get(f"{CONTENT}?format=preference")
    packed = await idle_client.get(f"{CONTENT}?compression=gzip")
    assert plain.headers["content-length"] == str(stored["bytes"])
    assert plain.content == named.content == gzip.decompress(packed.content)


async def test_what_would_be_lost_is_refused_by_line(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, examples=[*rows(3), WEIGHED, LONG])
    problem = refused(
        await idle_client.get(f"{CONTENT}?format=prompt_completion"), 422, "conversion_loses"
    )
    assert problem["error_count"] == 2
    told = [(loss["line"], loss["code"]) for loss in problem["errors"]]
    assert told == [(4, "weight_lost"), (5, "turns_lost")]


async def test_losses_may_be_accepted(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, examples=[*rows(3), WEIGHED, LONG])
    asked = {"format": "prompt_completion", "losses": "accept"}
    answer = await idle_client.get(CONTENT, params=asked)
    assert [json.loads(line)["completion"] for line in answer.content.splitlines()] == [
        "say 0", "say 1", "say 2", "b",
    ]  # fmt: skip


async def test_a_report_tells_the_losses_without_the_file(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, examples=[*rows(3), WEIGHED, LONG])
    told = (await idle_client.get("/datasets/echo/conversion?format=prompt_completion")).json()
    assert told | {"losses": []} == {
        "format": "prompt_completion",
        "examples": 5,
        "lossless": False,
        "loss_count": 2,
        "losses": [],
        "dropped": 1,
    }
    assert [(loss["line"], loss["code"]) for loss in told["losses"]] == [
        (4, "weight_lost"),
        (5, "turns_lost"),
    ]


async def test_the_form_that_is_kept_loses_nothing(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, examples=[WEIGHED, LONG])
    told = (await idle_client.get("/datasets/echo/conversion")).json()
    assert (told["format"], told["lossless"], told["losses"]) == ("chat", True, [])


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("format=plain_preference", "dataset_kind_unfit"),
        ("format=conversational_prompt_completion&container=csv", "container_unfit"),
        ("format=alpaca", "invalid_request"),
        ("container=xml", "invalid_request"),
        ("compression=zip", "invalid_request"),
        ("losses=maybe", "invalid_request"),
    ],
)
async def test_what_cannot_be_written_is_refused(
    idle_client: httpx.AsyncClient, asked: str, code: str
) -> None:
    await dataset(idle_client)
    refused(await idle_client.get(f"{CONTENT}?{asked}"), 422, code)


async def test_many_examples_stream(idle_client: httpx.AsyncClient) -> None:
    await dataset(idle_client, examples=rows(6000))
    answer = await idle_client.get(f"{CONTENT}?format=sharegpt&container=csv")
    assert "content-length" not in answer.headers
    assert take_in([answer.content]).intake.examples == 6000


async def test_what_is_not_there_is_not_converted(idle_client: httpx.AsyncClient) -> None:
    answer = await idle_client.get("/datasets/none/conversion")
    refused(answer, 404, "dataset_not_found")
