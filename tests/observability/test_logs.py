"""Every line of the log says what it is about, by ids."""

import json
import subprocess
import sys

import httpx
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.bootstrap import House
from app.reconciler import observe, submit
from tests.api.given import created, dataset, job, tuned
from tests.reconciling import shop_of
from tests.simulated.simulated_provider import SimulatedProvider

LINE = """
import structlog
from app.telemetry.logs import configure_logging

configure_logging("json")
with structlog.contextvars.bound_contextvars(job="job_1"):
    structlog.get_logger().warning("provider_silent", problem="no answer")
"""


async def test_a_line_about_a_job_names_its_attempt_and_provider(
    idle_client: httpx.AsyncClient, house: House, vendor: SimulatedProvider
) -> None:
    await dataset(idle_client)
    made = await job(idle_client)
    await submit.tick(shop_of(house), "simulated")
    vendor.order("observe", "lose")

    with capture_logs(processors=[merge_contextvars]) as lines:
        await observe.tick(shop_of(house), "simulated")

    ids = {"job": made["id"], "attempt": 1, "provider": "simulated", "project": "default"}
    assert [ids.items() <= line.items() for line in lines] == [True]


async def test_a_line_about_a_request_names_it_and_who_sent_it(
    client: httpx.AsyncClient, vendor: SimulatedProvider
) -> None:
    model = await tuned(client)
    key = created(await client.post("/keys", json={"name": "nightly", "role": "developer"}))
    bearer = {"Authorization": f"Bearer {key['secret']}"}
    vendor.order("delete", "lose")

    with capture_logs(processors=[merge_contextvars]) as lines:
        answer = await client.delete(f"/models/{model}", headers=bearer)

    [line] = [line for line in lines if line["event"] == "request_broke"]
    ids = {"request_id": answer.headers["x-request-id"], "project": "default", "key": key["id"]}
    assert ids.items() <= line.items()
    assert key["secret"] not in str(lines)


def test_a_line_is_one_object_of_json() -> None:
    said = subprocess.run([sys.executable, "-c", LINE], capture_output=True, text=True, check=True)

    line = json.loads(said.stderr)

    assert line.keys() == {"event", "level", "timestamp", "job", "problem"}
    assert (line["event"], line["level"]) == ("provider_silent", "warning")
