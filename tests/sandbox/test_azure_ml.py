"""The simulated Azure ML by plain HTTP, as Microsoft's documents have it."""

from collections.abc import Generator
from typing import Any

import httpx
import pytest

from app.sandbox.azure_ml.contract import AzureMLContract
from app.sandbox.azure_ml.simulator import SimulatedAzureML
from app.sandbox.frame.faults import Failure
from tests.contracts import CONTRACTS

WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
JOB = f"{WORKSPACE}/jobs/mine"
BLOB = "/blobs/azureml-blobstore/data/train.jsonl"
ADDRESS = "azureml://datastores/workspaceblobstore/paths/data/train.jsonl"
VERSION = {"api-version": "2024-10-01-preview"}
LINE = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}'


@pytest.fixture
def azure() -> Generator[SimulatedAzureML]:
    """A workspace whose answers are checked against Microsoft's documents."""
    contract = AzureMLContract.read_all(CONTRACTS) if CONTRACTS.exists() else None
    with SimulatedAzureML(contract=contract) as azure:
        yield azure


@pytest.fixture
def http(azure: SimulatedAzureML) -> Generator[httpx.Client]:
    """A client with a token."""
    headers = {"authorization": "Bearer any"}
    with httpx.Client(
        base_url=azure.url, headers=headers, params=VERSION, trust_env=False, timeout=60
    ) as client:
        yield client


def a_job(**more: Any) -> dict[str, Any]:
    """A fine-tuning job's body."""
    details = {
        "taskType": "ChatCompletion",
        "modelProvider": "Custom",
        "model": {"jobInputType": "mlflow_model", "uri": "azureml://registries/r/models/m"},
        "trainingData": {"jobInputType": "uri_file", "uri": ADDRESS},
    }
    properties = {
        "jobType": "FineTuning",
        "computeId": f"{WORKSPACE}/computes/cluster",
        "fineTuningDetails": details,
        "outputs": {"registered_model": {"jobOutputType": "mlflow_model", "assetName": "mine"}},
    }
    return {"properties": properties | more}


def put_blob(http: httpx.Client, content: bytes = LINE, **headers: str) -> httpx.Response:
    """A blob, put over nothing unless it is meant."""
    given = {"x-ms-blob-type": "BlockBlob", "if-none-match": "*"} | headers
    given["content-type"] = "application/octet-stream"
    return http.put(BLOB, content=content, headers=given)


def test_a_put_creates_once_and_updates_after(http: httpx.Client, azure: SimulatedAzureML) -> None:
    first = http.put(JOB, json=a_job())
    second = http.put(JOB, json=a_job(tags={"a": "b"}))

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["properties"]["tags"] == {"a": "b"}
    assert azure.creations == {"mine": 1}
    assert azure.violations == []


def test_a_job_registers_what_it_leaves(http: httpx.Client, azure: SimulatedAzureML) -> None:
    put_blob(http)
    http.put(JOB, json=a_job())
    azure.advance(9)

    job = http.get(JOB).json()
    model = http.get(f"{WORKSPACE}/models/mine/versions/1").json()

    assert job["properties"]["status"] == "Completed"
    assert model["properties"]["jobName"] == "mine"
    assert azure.violations == []


def test_a_job_without_its_file_fails_and_the_history_says_why(
    http: httpx.Client, azure: SimulatedAzureML
) -> None:
    http.put(JOB, json=a_job())
    azure.advance(9)

    # Of another API, which has no version in its query.
    url = f"{azure.url}/history/v1.0{WORKSPACE}/runs/mine/details"
    told = httpx.get(url, headers=http.headers, trust_env=False, timeout=60).json()

    assert told["status"] == "Failed"
    assert told["error"]["error"]["message"] == f"{ADDRESS} cannot be found."


def test_a_blob_is_not_written_over(http: httpx.Client) -> None:
    first, second = put_blob(http), put_blob(http, b"another")

    assert (first.status_code, second.status_code) == (201, 409)
    assert second.headers["x-ms-error-code"] == "BlobAlreadyExists"
    assert http.get(BLOB).content == LINE


def test_blocks_become_a_blob_in_the_order_of_their_list(http: httpx.Client) -> None:
    opaque = {"content-type": "application/octet-stream"}
    for block, content in (("Yg==", b"two"), ("YQ==", b"one")):
        http.put(BLOB, params={"comp": "block", "blockid": block}, content=content, headers=opaque)
    listed = "<BlockList><Latest>YQ==</Latest><Latest>Yg==</Latest></BlockList>"
    http.put(
        BLOB,
        params={"comp": "blocklist"},
        content=listed,
        headers={"content-type": "application/xml"},
    )

    assert http.get(BLOB).content == b"onetwo"
    piece = http.get(BLOB, headers={"x-ms-range": "bytes=3-"})
    assert (piece.status_code, piece.content) == (206, b"two")
    assert http.get(BLOB, headers={"x-ms-range": "bytes=6-"}).status_code == 416


def test_what_is_not_declared_is_refused_and_remembered(
    http: httpx.Client, azure: SimulatedAzureML
) -> None:
    answer = http.put(JOB, json=a_job(hyperparameters={}))

    assert answer.status_code == 400
    assert any("hyperparameters" in violation.message for violation in azure.violations)


def test_an_expired_token_and_an_order_are_refused_in_azures_shape(
    http: httpx.Client, azure: SimulatedAzureML
) -> None:
    azure.order(Failure(status=500, code="InternalError", message="Sorry."), "/subscriptions/*")
    broken = http.get(JOB)
    azure.change(expired_tokens={"any"})
    expired = http.get(JOB)

    assert (broken.status_code, expired.status_code) == (500, 401)
    assert broken.json() == {"error": {"code": "InternalError", "message": "Sorry."}}
    assert expired.json()["error"]["code"] == "ExpiredAuthenticationToken"


def test_everything_can_be_ordered_over_http(http: httpx.Client) -> None:
    http.put(JOB, json=a_job())
    control = "/__sandbox__"
    http.patch(f"{control}/conditions", json={"pace": {"by": "order"}})
    http.post(f"{control}/jobs/advance", json={"beats": 2, "job": "mine"})
    advanced = http.get(JOB).json()["properties"]["status"]
    http.post(f"{control}/jobs/mine/fail", json={"message": "Enough."})

    assert advanced == "Queued"
    assert http.get(JOB).json()["properties"]["status"] == "Failed"
    assert http.get(f"{control}/creations").json() == {"mine": 1}
