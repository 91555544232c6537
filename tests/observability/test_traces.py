"""One trace follows a job from its request through all processes that work on it."""

import os
import subprocess
import sys

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from structlog.testing import capture_logs

from app import bootstrap
from app.bootstrap import House
from app.reconciler import observe, submit
from app.telemetry.logs import add_trace
from tests.api.given import created, dataset, ended, job, recipe
from tests.reconciling import shop_of
from tests.serving import api
from tests.simulated.simulated_provider import SimulatedProvider

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
ROW = {"prompt": "say sesame", "completion": "say sesame"}


async def test_one_trace_leads_from_the_request_to_the_end_over_two_houses(
    house: House, spans: list[ReadableSpan]
) -> None:
    async with api(house, reconcile=False) as asked:
        await dataset(asked)
        made = created(await asked.post("/jobs", json=recipe(), headers=HEADERS))
    worker = bootstrap.build(house.settings, providers=house.providers)
    async with api(worker, reconcile=True) as client:
        done = await ended(client, made)

    assert done["status"] == "succeeded"
    traced = [span for span in spans if _trace_of(span) == TRACE]
    assert {"create_job", "work_on_job", "provider.submit", "provider.probe"} <= {
        span.name for span in traced
    }
    told = [event.name for span in traced for event in span.events]
    assert told.count("job.succeeded") == 1
    work = [span for span in traced if span.name == "work_on_job"]
    assert {str((span.attributes or {})["luthier.job"]) for span in work} == {made["id"]}


async def test_a_call_says_what_came_of_it_and_stands_in_the_work(
    idle_client: httpx.AsyncClient,
    house: House,
    vendor: SimulatedProvider,
    spans: list[ReadableSpan],
) -> None:
    await dataset(idle_client)
    await job(idle_client)
    vendor.order("submit", "later")

    await submit.tick(shop_of(house), "simulated")

    by_name = {span.name: span for span in spans}
    call, work = by_name["provider.submit"], by_name["work_on_job"]
    assert dict(call.attributes or {}) == {
        "luthier.connection": "simulated",
        "luthier.operation": "submit",
        "luthier.outcome": "unavailable",
    }
    assert call.parent == work.get_span_context()


async def test_no_span_holds_a_key_or_the_text_of_a_row(
    client: httpx.AsyncClient, vendor: SimulatedProvider, spans: list[ReadableSpan]
) -> None:
    key = created(await client.post("/keys", json={"name": "nightly", "role": "developer"}))
    client.headers["Authorization"] = f"Bearer {key['secret']}"
    await dataset(client, examples=[ROW] * 12)
    vendor.order("observe", "lose")
    done = await ended(client, await job(client))
    question = {"messages": [{"role": "user", "content": ROW["prompt"]}]}
    await client.post(f"/models/{done['tuned_model']}/chat", json=question)
    await client.get("/jobs", params={"cursor": "sesame"})

    written = " ".join(span.to_json() for span in spans)

    assert "provider.observe" in written
    assert "sesame" not in written
    assert key["secret"] not in written
    assert "was lost" not in written


async def test_a_line_of_the_log_names_its_trace(
    idle_client: httpx.AsyncClient,
    house: House,
    vendor: SimulatedProvider,
    spans: list[ReadableSpan],
) -> None:
    await dataset(idle_client)
    await idle_client.post("/jobs", json=recipe(), headers=HEADERS)
    await submit.tick(shop_of(house), "simulated")
    vendor.order("observe", "lose")
    with capture_logs(processors=[add_trace]) as lines:
        await observe.tick(shop_of(house), "simulated")

    assert [line["trace_id"] for line in lines] == [TRACE]


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:9"])
def test_the_sdk_is_loaded_only_where_a_collector_is_named(endpoint: str) -> None:
    pytest.importorskip(
        "opentelemetry.exporter.otlp.proto.http", reason="the extra `otel` is not installed"
    )
    program = (
        "import sys; from app.telemetry.traces import configure_tracing; configure_tracing(); "
        "print('opentelemetry.sdk.trace' in sys.modules)"
    )
    environment = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}

    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == str(bool(endpoint))


def _trace_of(span: ReadableSpan) -> str:
    context = span.get_span_context()
    return format(context.trace_id if context else 0, "032x")
