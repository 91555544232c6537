"""Requests that the descriptions allow and forbid, by Schemathesis: no accident, no surprise.

`make fuzz-api` runs the same with other seeds and for longer.
"""

import os
from collections.abc import Generator, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app import bootstrap
from app.api.streams import EVENT_STREAM
from app.settings import Settings
from tests.serving import on_loopback
from tests.simulated.simulated_provider import SimulatedProvider

KEY = "a-key-of-this-test"
EXAMPLES = int(os.environ.get("LUTHIER_FUZZ_EXAMPLES", "8"))
IS_LONG = "LUTHIER_FUZZ_EXAMPLES" in os.environ

_CHAT = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
DOORS = {"": "/openapi.json", "/openai/v1": "/openai/v1/openapi.json"}


@pytest.fixture
def url(database_url: str, tmp_path: Path, vendor: SimulatedProvider) -> Generator[str]:
    """Where the service is, at work and with a key."""
    settings = Settings(
        data_dir=tmp_path,
        database_url=database_url,
        admin_key=SecretStr(KEY),
        secret_key=SecretStr("a key that only these tests know of"),
    )
    with on_loopback(bootstrap.build(settings, providers={"simulated": vendor})) as url:
        yield url


@pytest.mark.parametrize("door", DOORS)
def test_every_answer_is_as_described(url: str, door: str) -> None:
    with httpx.Client(base_url=url, headers=_headers(), timeout=60) as client:
        schema = schemathesis.openapi.from_dict(client.get(DOORS[door]).json())
        there = _things(client)
    found = list(schema.get_all_operations())
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    assert len(operations) == len(found)
    # What is removed cannot be asked for afterwards.
    operations.sort(key=_removes)
    problems: dict[str, str] = {}
    with requests.Session() as session:
        session.headers.update(_headers())
        for operation in operations:
            try:
                _try(operation, session, f"{url}{door}", there)
            except (Exception, FailureGroup) as error:  # noqa: BLE001 - all are told together
                problems[operation.label] = f"{error}"
    assert not problems, "\n\n".join(f"{label}: {said}" for label, said in problems.items())


def _removes(operation: APIOperation[Any, Any, Any, Any]) -> bool:
    return operation.method.upper() == "DELETE"


def _try(operation: Any, session: requests.Session, url: str, there: Mapping[str, str]) -> None:
    """Ask for one operation in many ways, mostly for something that is there."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=not IS_LONG,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=_cases(operation), is_there=st.sampled_from([True, True, True, False]))
    def ask(case: Case[Any], is_there: bool) -> None:
        if is_there:
            case.path_parameters = case.path_parameters | dict(_known(case, there))
            case.query = case.query | _named(case.query, there)
            if isinstance(case.body, dict):
                case.body = case.body | _named(case.body, there)
        case.query.pop("wait", None)
        answer = case.call(url, session=session, timeout=60)
        case.validate_response(answer, checks=list(_checks(answer)))

    ask()


def _checks(answer: Response) -> Iterator[Any]:
    yield from (content_type_conformance, response_headers_conformance, status_code_conformance)
    if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        yield not_a_server_error
    # A stream is described as one text, where Schemathesis wants a shape of each event.
    if EVENT_STREAM not in answer.headers.get("content-type", [""])[0]:
        yield response_schema_conformance


def _cases(operation: Any) -> st.SearchStrategy[Case[Any]]:
    """What the description allows, and what it forbids where it forbids anything."""
    allowed = operation.as_strategy(GenerationMode.POSITIVE)
    if operation.body or operation.path_parameters or operation.query:
        return st.one_of(allowed, operation.as_strategy(GenerationMode.NEGATIVE))
    return allowed


def _known(case: Case[Any], there: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The path parameters under which something is there."""
    room = case.path.split("/")[1]
    for name in case.path_parameters:
        for known in (f"{room}/{name}", name):
            if known in there:
                yield name, there[known]
                break


def _named(given: Mapping[str, Any], there: Mapping[str, str]) -> dict[str, str]:
    """The fields that name something, with names of what is there in place of any text."""
    return {
        name: there[f"={name}"]
        for name, value in given.items()
        if isinstance(value, str) and f"={name}" in there
    }


def _things(client: httpx.Client) -> dict[str, str]:
    """One of each, by the name of its path parameter, with its room where that matters."""

    def made(path: str, **body: Any) -> dict[str, Any]:
        answer = client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    rows = [{"prompt": f"say {number}", "completion": f"say {number}"} for number in range(12)]
    made("/datasets", name="echo", examples=rows)
    job = made("/jobs", provider="simulated", base_model="sim-base", dataset="echo")
    while job["finished_at"] is None:
        job = client.get(f"/jobs/{job['id']}", params={"wait": 5}).json()
    model = job["tuned_model"]
    client.put("/aliases/prod", json={"model": model}).raise_for_status()
    candidates = ["simulated/sim-base", model]
    evaluation = made("/evaluations", dataset="echo", candidates=candidates)
    door = "/openai/v1"
    sent = {"file": ("train.jsonl", msgspec.json.encode(_CHAT) + b"\n")}
    file = client.post(f"{door}/files", data={"purpose": "fine-tune"}, files=sent).json()
    upload = made(
        f"{door}/uploads",
        filename="part.jsonl",
        purpose="fine-tune",
        bytes=10,
        mime_type="text/jsonl",
    )
    hook = made("/webhooks", url="https://hooks.example/", events=["job.*"])
    return {
        **_fields(model, file["id"]),
        "datasets/ref": "echo",
        "models/ref": model,
        "aliases/name": "prod",
        "providers/name": "simulated",
        "dataset-templates/name": "classification",
        "job_id": job["id"],
        "evaluation_id": evaluation["id"],
        "file_id": file["id"],
        "upload_id": upload["id"],
        "fine_tuning/job_id": job["id"].replace("job_", "ftjob-", 1),
        "models/model": model,
        "webhook_id": hook["id"],
        "delivery_id": made(f"/webhooks/{hook['id']}/test")["id"],
        "project_id": made("/projects", id="care")["id"],
        "key_id": made("/keys", name="nightly", role="viewer")["id"],
    }


def _fields(model: str, file: str) -> dict[str, str]:
    """What fields of bodies and queries may name."""
    datasets = dict.fromkeys(("=dataset", "=held_out", "=against", "=validation_dataset"), "echo")
    models = dict.fromkeys(("=model", "=with"), model)
    places = {"=provider": "simulated", "=base_model": "sim-base", "=training_file": file}
    return datasets | models | places


def _headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {KEY}"}
