"""What is outside the contract is refused and remembered; what is inside stays in."""

import json
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openai import AsyncOpenAI, BadRequestError

from app.sandbox.frame.contract import Contract
from app.sandbox.openai.lines import FileInvalid, examples_of
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.contracts import CONTRACTS
from tests.sandbox import given

LINES = CONTRACTS / "openai.finetune-dataset.schema.json"
INPUTS = {
    "supervised": "FineTuneChatRequestInput",
    "dpo": "FineTunePreferenceRequestInput",
    "reinforcement": "FineTuneReinforcementRequestInput",
}
ASSISTANT = {"role": "assistant", "content": "yes", "weight": 0}
TOOL = {"role": "tool", "content": "4", "tool_call_id": "call_1"}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


def test_the_published_contract_is_part_of_every_check(published: Contract | None) -> None:
    if published is None:
        pytest.skip(f"no contract in {CONTRACTS}: only the SDK's own types are checked")


@pytest.mark.parametrize(
    "body",
    [
        {"extra_body": {"trainingType": "Standard"}},
        {"extra_query": {"metadata_key": "a"}},
        {"method": {"type": "supervised", "supervised": {"hyperparameters": {"epochs": 3}}}},
        {"method": {"type": "distillation"}},
        {"integrations": [{"type": "wandb", "wandb": {"project": "x", "colour": "red"}}]},
    ],
)
async def test_what_is_not_declared_is_a_violation(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI, body: dict[str, Any]
) -> None:
    with pytest.raises(BadRequestError):
        await given.a_job(openai, **body)

    assert {violation.side for violation in simulated.violations} == {"request"}
    assert simulated.jobs == []
    simulated.violations.clear()


async def test_an_unknown_path_is_a_violation(
    wire: httpx.AsyncClient, simulated: SimulatedOpenAI
) -> None:
    answer = await wire.post("/v1/fine-tunes", json={"training_file": "file-abc123"})

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Invalid URL (POST /v1/fine-tunes)"
    assert [violation.path for violation in simulated.violations] == ["/v1/fine-tunes"]
    simulated.violations.clear()


async def test_broken_json_is_refused(wire: httpx.AsyncClient) -> None:
    answer = await wire.post("/v1/fine_tuning/jobs", content=b'{"model": ')

    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_the_examples_of_the_reference_are_understood(wire: httpx.AsyncClient) -> None:
    form = {"purpose": "fine-tune"}
    files = {"file": ("mydata.jsonl", given.supervised())}
    file = (await wire.post("/v1/files", data=form, files=files)).json()
    body = {
        "training_file": file["id"],
        "model": "gpt-4o-mini-2024-07-18",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
    }

    job = (await wire.post("/v1/fine_tuning/jobs", json=body)).json()
    listed = await wire.get("/v1/fine_tuning/jobs", params={"limit": 2, "metadata": "null"})
    events = await wire.get(f"/v1/fine_tuning/jobs/{job['id']}/events?limit=2")

    assert job["status"] == "validating_files"
    assert [each["id"] for each in listed.json()["data"]] == [job["id"]]
    assert events.json()["data"][0]["object"] == "fine_tuning.job.event"


@pytest.mark.parametrize(
    ("method", "line", "fits"),
    [
        ("supervised", {"messages": [*given.prompt(1), ASSISTANT]}, True),
        ("supervised", {"messages": [*given.prompt(1), ASSISTANT, TOOL, ASSISTANT]}, True),
        ("supervised", {"messages": [{"role": "user", "content": [PICTURE]}, ASSISTANT]}, True),
        ("supervised", {"messages": []}, False),
        ("supervised", {"messages": [{"role": "user"}, ASSISTANT]}, False),
        ("supervised", {"messages": [{**ASSISTANT, "weight": 2}]}, False),
        ("supervised", {"messages": [{"role": "model", "content": "x"}, ASSISTANT]}, False),
        ("supervised", {"messages": [{"role": "tool", "content": "x"}, ASSISTANT]}, False),
        ("dpo", json.loads(given.preferences(1)), True),
        ("dpo", json.loads(given.preferences(1)) | {"preferred_output": "yes"}, False),
        ("reinforcement", json.loads(given.tasks(1)), True),
        ("reinforcement", {"answer": "4"}, False),
    ],
)
def test_lines_are_judged_as_by_the_published_schema(
    method: str, line: dict[str, Any], fits: bool
) -> None:
    content = json.dumps(line).encode() + b"\n"
    codes = {True: "invalid_n_examples", False: "invalid_training_file"}

    with pytest.raises(FileInvalid) as invalid:
        examples_of(content, method)

    assert invalid.value.code == codes[fits]
    if LINES.exists():
        definitions = json.loads(LINES.read_text())["$defs"]
        schema = {"$ref": f"#/$defs/{INPUTS[method]}", "$defs": definitions}
        assert Draft202012Validator(schema).is_valid(line) is fits
