"""What the service's description says of the messages is true."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app import bootstrap
from app.domain.webhook_deliveries import Delivery, message
from app.domain.webhook_endpoints import EVENT_TYPES, FAMILIES, WebhookFormat
from app.main import create_app
from app.settings import Settings
from tests.api.given import Json
from tests.api.schemas import misfits
from tests.simulated.simulated_provider import SimulatedProvider

HEADERS = {"webhook-id", "webhook-timestamp", "webhook-signature"}


@pytest.fixture
def description(tmp_path: Path, vendor: SimulatedProvider) -> Json:
    """What the service says of itself."""
    house = bootstrap.build(Settings(data_dir=tmp_path), providers={"simulated": vendor})
    return json.loads(json.dumps(create_app(house).openapi()))


def test_messages_are_described_with_examples_that_fit(description: Json) -> None:
    assert description["webhooks"].keys() == {*FAMILIES, "fine_tuning.job"}
    for schema, hook in described(description):
        assert {one["name"] for one in hook["parameters"]} == HEADERS
        assert hook["security"] == []
        examples = hook["requestBody"]["content"]["application/json"]["examples"]
        assert examples
        for example in examples.values():
            assert list(misfits(description, schema, example["value"])) == []


def test_every_type_is_described_with_its_family(description: Json) -> None:
    for type_ in EVENT_TYPES:
        family = type_.partition(".")[0]
        assert f"`{type_}`" in description["webhooks"][family]["post"]["description"]


@pytest.mark.parametrize(("format", "name"), [("standard", "job"), ("openai", "fine_tuning.job")])
def test_what_is_sent_is_as_described(description: Json, format: str, name: str) -> None:
    told = Delivery(
        number=1,
        id="whd_1",
        endpoint_id="whk_1",
        event_id="evt_1",
        type="job.failed",
        subject="job_1",
        status="failed",
        details={"code": "c"},
        at=1795418004120,
    )
    sent = msgspec.to_builtins(message(told, WebhookFormat(format)))

    schema = description["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
    assert list(misfits(description, schema["schema"], sent)) == []


def described(description: Json) -> Iterator[tuple[Any, Json]]:
    """The body's schema and the operation of each message."""
    for hook in description["webhooks"].values():
        yield hook["post"]["requestBody"]["content"]["application/json"]["schema"], hook["post"]
