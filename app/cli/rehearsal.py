"""`luthier sandbox demo`: a whole pipeline at a simulated vendor, faults included, at no cost."""

import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table

from app.cli.console import fail, out
from app.cli.demo import DATA
from app.cli.service import checked, free_port, running_service, wait_until_up
from app.cli.watching import watch

BASE_MODEL = "gpt-4.1-mini-2025-04-14"

QUESTIONS = 12
"""Examples that base and tuned model are asked: the simulated model has learned them by heart."""


def run() -> None:
    """Compile, quote, train with a refusal and a lost connection on the way, evaluate, ask."""
    with tempfile.TemporaryDirectory() as folder, _vendor() as vendor:
        settings = {
            "LUTHIER_PROVIDERS__OPENAI__BASE_URL": f"{vendor.base_url}/v1",
            "LUTHIER_PROVIDERS__OPENAI__API_KEY": "any",
        }
        with running_service(Path(folder), settings) as (client, _):
            out.print(
                "[bold]A rehearsal at a simulated OpenAI[/bold]: nothing is trained or paid\n"
            )
            dataset = _upload(client)
            _quote(client, dataset)
            _order(vendor)
            job = _train(client, dataset)
            _show_creations(vendor)
            _compare(client, job)


@contextmanager
def _vendor() -> Generator[httpx.Client]:
    port = free_port()
    command = [sys.executable, "-m", "app", "sandbox", "openai", "--port", str(port)]
    vendor = subprocess.Popen([*command, "--beat", "0.5"], stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            if not wait_until_up(client, vendor, "/__sandbox__/conditions"):
                fail("The simulated vendor did not start: try `luthier sandbox openai`.")
            yield client
    finally:
        vendor.terminate()
        vendor.wait()


def _upload(client: httpx.Client) -> dict[str, Any]:
    path = DATA / "feedback" / "train.jsonl"
    with path.open("rb") as file:
        dataset = checked(
            client.post("/datasets", data={"name": "feedback"}, files={"file": (path.name, file)})
        )
    out.print(f"dataset   [bold]feedback@1[/bold]  {dataset['examples']} examples")
    return dataset


def _quote(client: httpx.Client, dataset: dict[str, Any]) -> None:
    """The platforms side by side."""
    compared = checked(client.post("/quotes", json={"dataset": dataset["id"]}))
    table = Table(title="\nWhere it could be trained", title_justify="left", title_style="bold")
    for column in ("provider", "base model", "tokens", "USD", "until", "why not"):
        table.add_column(column, overflow="fold")
    for row in compared["data"]:
        cost = row["cost_usd"]
        table.add_row(
            row["provider"],
            row["base_model"],
            "" if row["tokens"] is None else str(row["tokens"]),
            "" if cost is None else f"{cost['low']} to {cost['high']}",
            row["deadlines"]["creation_closes_at"] or "",
            ", ".join(dict.fromkeys(reason["code"] for reason in row["reasons"])),
        )
    out.print(table)


def _order(vendor: httpx.Client) -> None:
    """The vendor will refuse the first creation and lose a look at the job."""
    limit = {"kind": "failure", "status": 429, "headers": {"retry-after": "1"}}
    jobs = "/v1/fine_tuning/jobs"
    for order in (
        {"method": "POST", "path": jobs, "fault": limit},
        {"method": "GET", "path": f"{jobs}/*", "fault": {"kind": "reset", "during": "answer"}},
    ):
        vendor.post("/__sandbox__/orders", json=order).raise_for_status()
    out.print("\nordered   one refusal (429) of the creation, one connection that breaks")


def _train(client: httpx.Client, dataset: dict[str, Any]) -> dict[str, Any]:
    recipe = {"provider": "openai", "base_model": BASE_MODEL, "dataset": dataset["id"]}
    job = checked(client.post("/jobs", json=recipe | {"budget_usd": "50.00"}))
    out.print(
        f"job       [bold]{job['id']}[/bold]  quoted at up to {job['cost']['quoted_usd']} USD\n"
    )
    job = watch(client, job)
    for event in checked(client.get(f"/jobs/{job['id']}/events"))["data"]:
        if event["type"] in ("job.created", "job.queued", "job.stale", "job.running"):
            out.print(f"  {event['at']}  {event['type']}", highlight=False)
    if job["status"] != "succeeded":
        fail(f"The job {job['status']}: {job['error']}")
    return job


def _show_creations(vendor: httpx.Client) -> None:
    created = checked(vendor.get("/__sandbox__/creations", params={"key": "luthier_key"}))
    out.print(f"\nvendor    created {created}: one paid job, whatever went wrong")


def _compare(client: httpx.Client, job: dict[str, Any]) -> None:
    candidates = [f"openai/{BASE_MODEL}", job["tuned_model"]]
    body = {"dataset": "feedback", "candidates": candidates, "limit": QUESTIONS}
    evaluation = checked(client.post("/evaluations", json=body | {"metrics": ["exact_match"]}))
    while evaluation["finished_at"] is None:
        evaluation = checked(client.get(f"/evaluations/{evaluation['id']}"))
    for score in evaluation["scores"]:
        out.print(f"exact     {score['mean']:.2f}  {score['candidate']}")
