"""The simulator of Vertex AI by plain HTTP, by Google's own client, and as a command."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx
import pytest
from google.api_core.client_options import ClientOptions
from google.cloud import aiplatform_v1 as v1
from google.oauth2.credentials import Credentials

from app.sandbox.frame.listing import Lag
from app.sandbox.vertex.contract import GoogleContract
from app.sandbox.vertex.simulator import SimulatedVertex
from tests.contracts import CONTRACTS

PARENT = "projects/p/locations/us-central1"
JOBS = f"/v1/{PARENT}/tuningJobs"
TURNS = [{"role": role, "parts": [{"text": role}]} for role in ("user", "model")]
LINE = json.dumps({"contents": TURNS}).encode()
TOKEN = {"authorization": "Bearer any"}


@pytest.fixture
def google() -> Generator[SimulatedVertex]:
    """Google, with one training file in its bucket."""
    contract = GoogleContract.read_all(CONTRACTS) if CONTRACTS.exists() else None
    with SimulatedVertex(contract=contract) as google:
        google.put("staging", "good.jsonl", LINE)
        google.put("staging", "bad.jsonl", b'{"messages": []}\n')
        yield google


@pytest.fixture
async def plain(google: SimulatedVertex) -> AsyncGenerator[httpx.AsyncClient]:
    """Plain HTTP with a token."""
    async with httpx.AsyncClient(
        base_url=google.url, headers=TOKEN, trust_env=False, timeout=60
    ) as plain:
        yield plain


def body(file: str = "good.jsonl", **others: Any) -> dict[str, Any]:
    """A job to create."""
    spec = {"trainingDatasetUri": f"gs://staging/{file}"}
    return {"baseModel": "gemini-3.5-flash", "supervisedTuningSpec": spec} | others


async def test_a_job_goes_all_the_way(google: SimulatedVertex, plain: httpx.AsyncClient) -> None:
    job = (await plain.post(JOBS, json=body())).json()
    google.advance(9)

    ended = (await plain.get(f"/v1/{job['name']}")).json()

    assert (job["state"], ended["state"]) == ("JOB_STATE_PENDING", "JOB_STATE_SUCCEEDED")
    assert ended["tunedModel"]["endpoint"]
    assert google.violations == []


async def test_a_file_of_another_form_fails_the_job(
    google: SimulatedVertex, plain: httpx.AsyncClient
) -> None:
    job = (await plain.post(JOBS, json=body("bad.jsonl"))).json()
    google.advance(9)

    ended = (await plain.get(f"/v1/{job['name']}")).json()

    assert ended["state"] == "JOB_STATE_FAILED"
    assert "Line 1" in ended["error"]["message"]


@pytest.mark.parametrize(
    "asked",
    [body(metadata={"a": "b"}), body(labels={"Key": "V"}), body(baseModel="x"), body("none")],
    ids=["field", "label", "model", "file"],
)
async def test_what_google_would_refuse(
    google: SimulatedVertex, plain: httpx.AsyncClient, asked: dict[str, Any]
) -> None:
    refused = await plain.post(JOBS, json=asked)

    assert refused.status_code == 400
    assert refused.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert google.jobs == []


async def test_an_undeclared_field_and_parameter_are_violations(
    google: SimulatedVertex, plain: httpx.AsyncClient
) -> None:
    await plain.post(JOBS, json=body(metadata={"a": "b"}))
    await plain.get(JOBS, params={"order": "newest"})
    await plain.post(JOBS.replace("v1", "v1beta1"), json=body(metadata={"a": "b"}))

    assert {violation.side for violation in google.violations} == {"request"}
    assert {violation.path for violation in google.violations} >= {JOBS}


async def test_a_list_may_lag_behind(google: SimulatedVertex, plain: httpx.AsyncClient) -> None:
    google.change(listing_lag=Lag(lists=1))
    await plain.post(JOBS, json=body())

    listed = [(await plain.get(JOBS)).json() for _ in range(2)]

    assert [len(page.get("tuningJobs", [])) for page in listed] == [0, 1]


async def test_a_session_takes_a_file_in_pieces(
    google: SimulatedVertex, plain: httpx.AsyncClient
) -> None:
    upload = "/upload/storage/v1/b/staging/o?uploadType=resumable&ifGenerationMatch=0"
    session = (await plain.post(upload, json={"name": "a/b.jsonl"})).headers["location"]

    head = {"content-type": "application/octet-stream"}
    first = await plain.put(
        session, content=b"abc", headers=head | {"content-range": "bytes 0-2/*"}
    )
    last = await plain.put(session, content=b"de", headers=head | {"content-range": "bytes 3-4/5"})
    again = await plain.post(upload, json={"name": "a/b.jsonl"})

    assert (first.status_code, first.headers["range"]) == (308, "bytes=0-2")
    assert last.json()["size"] == "5"
    assert google.read("gs://staging/a/b.jsonl") == b"abcde"
    assert again.status_code == 412


def test_googles_client_reads_streams_as_an_array(google: SimulatedVertex) -> None:
    client = v1.PredictionServiceClient(
        transport="rest",
        credentials=Credentials("any"),
        client_options=ClientOptions(api_endpoint=google.url),
    )
    asked = v1.Content(role="user", parts=[v1.Part(text="Hello")])
    model = f"{PARENT}/publishers/google/models/gemini-3.5-flash"

    pieces = [*client.stream_generate_content(model=model, contents=[asked])]

    assert "".join(piece.candidates[0].content.parts[0].text for piece in pieces) == (
        "I do not know that."
    )
    assert google.violations == []


def test_the_command_serves_until_it_is_told_to_end() -> None:
    command = [sys.executable, "-m", "app", "sandbox", "vertex", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = re.findall(r"http://\S+", process.stdout.readline())[0]

        answer = httpx.get(f"{url}{JOBS}", headers=TOKEN, trust_env=False, timeout=60)
        process.send_signal(signal.SIGTERM)

    assert answer.status_code == 200
    assert process.returncode == 0
