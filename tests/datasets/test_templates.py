"""Templates: every one has advice, a rubric, and a sample that is accepted as it is."""

import httpx
import msgspec
import pytest

from app.domain.datasets import DatasetKind
from app.domain.reporting.analysis import Analysis
from app.domain.reporting.findings import Severity
from app.services.templates import ORDER, get_template, sample
from tests.api.expect import refused
from tests.api.given import created, recipe, upload

METHODS = {"sft": DatasetKind.CHAT, "dpo": DatasetKind.PREFERENCE}


@pytest.mark.parametrize("name", ORDER)
def test_a_template_helps(name: str) -> None:
    template = get_template(name)
    assert template.guide.startswith("# ")
    assert "## What to collect" in template.guide
    assert len(template.rubric) >= 3
    assert METHODS[template.method] is template.kind
    assert template.examples >= 12


@pytest.mark.parametrize("name", ORDER)
def test_a_sample_has_nothing_to_warn_of(name: str) -> None:
    analysis = Analysis(get_template(name).kind)
    analysis.feed(sample(name).splitlines())
    worse = [
        finding
        for finding in analysis.finish().findings
        if finding.severity is not Severity.INFO and finding.code != "labels_rare"
    ]
    assert worse == []


def test_every_call_of_a_tool_fits_its_schema() -> None:
    for line in sample("tool-calls").splitlines():
        example = msgspec.json.decode(line)
        schemas = {
            tool["function"]["name"]: tool["function"]["parameters"] for tool in example["tools"]
        }
        for message in example["messages"]:
            for call in message.get("tool_calls", ()):
                given = msgspec.json.decode(call["function"]["arguments"])
                schema = schemas[call["function"]["name"]]
                assert set(schema["required"]) <= set(given) <= set(schema["properties"])


@pytest.mark.parametrize("name", ORDER)
async def test_a_sample_is_stored_and_trained_on(idle_client: httpx.AsyncClient, name: str) -> None:
    told = (await idle_client.get(f"/dataset-templates/{name}")).json()
    content = (await idle_client.get(f"/dataset-templates/{name}/sample")).content
    stored = created(await upload(idle_client, content, name))
    assert (stored["kind"], stored["examples"]) == (told["kind"], told["examples"])
    wanted = recipe(dataset=name, method={"type": told["method"]})
    created(await idle_client.post("/jobs", json=wanted))


async def test_templates_are_listed(idle_client: httpx.AsyncClient) -> None:
    listed = (await idle_client.get("/dataset-templates")).json()["data"]
    assert [one["name"] for one in listed] == list(ORDER)


@pytest.mark.parametrize("path", ["none", "none/sample", "..%2f__init__", "%00"])
async def test_what_is_no_template_is_not_found(idle_client: httpx.AsyncClient, path: str) -> None:
    answer = await idle_client.get(f"/dataset-templates/{path}")
    assert answer.status_code == 404
    if "%2f" not in path:
        refused(answer, 404, "template_not_found")
