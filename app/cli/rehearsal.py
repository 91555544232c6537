"""`luthier sandbox demo`: a whole pipeline at a simulated vendor, faults included, at no cost."""

import tempfile
from pathlib import Path
from typing import Any

import httpx

from app.cli.console import out
from app.cli.providers import show_quotes
from app.cli.remote import Remote
from app.cli.service import running, running_service
from app.cli.steps import DATA, compare, train, upload

BASE_MODEL = "gpt-4.1-mini-2025-04-14"

QUESTIONS = 12
"""Examples that base and tuned model are asked: the simulated model has learned them by heart."""


def run() -> None:
    """Compile, quote, train with a refusal and a lost connection on the way, evaluate, ask."""
    vendor = running(
        ["sandbox", "openai", "--beat", "0.5"],
        ready="/__sandbox__/conditions",
        otherwise="The simulated vendor did not start: try `luthier sandbox openai`.",
    )
    with tempfile.TemporaryDirectory() as folder, vendor as simulated:
        settings = {
            "LUTHIER_PROVIDERS__OPENAI__BASE_URL": f"{simulated.url}/v1",
            "LUTHIER_PROVIDERS__OPENAI__API_KEY": "any",  # pragma: allowlist secret
        }
        with running_service(Path(folder), settings) as service:
            _rehearse(service.remote, simulated.remote.http)


def _rehearse(remote: Remote, vendor: httpx.Client) -> None:
    out.print("[bold]A rehearsal at a simulated OpenAI[/bold]: nothing is trained or paid\n")
    dataset = upload(remote, "feedback", DATA / "feedback" / "train.jsonl")
    out.print("\n[bold]Where it could be trained[/bold]")
    show_quotes(remote.post("/quotes", {"dataset": dataset["id"]}).json())
    _order(vendor)
    job = _train(remote, dataset)
    _show_creations(vendor)
    candidates = [f"openai/{BASE_MODEL}", job["tuned_model"]]
    wanted = {"dataset": "feedback", "candidates": candidates, "limit": QUESTIONS}
    compare(remote, wanted, "examples that it was trained with")


def _order(vendor: httpx.Client) -> None:
    """The vendor will refuse the first creation and lose a look at the job."""
    limit = {"kind": "failure", "status": 429, "headers": {"retry-after": "1"}}
    jobs = "/v1/fine_tuning/jobs"
    for order in (
        {"method": "POST", "path": jobs, "fault": limit},
        {"method": "GET", "path": f"{jobs}/*", "fault": {"kind": "reset", "during": "answer"}},
    ):
        vendor.post("/__sandbox__/orders", json=order)
    out.print("\nordered   one refusal (429) of the creation, one connection that breaks")


def _train(remote: Remote, dataset: dict[str, Any]) -> dict[str, Any]:
    recipe = {"provider": "openai", "base_model": BASE_MODEL, "dataset": dataset["id"]}
    job = train(remote, recipe | {"budget_usd": "50.00"})
    for event in remote.get(f"/jobs/{job['id']}/events").json()["data"]:
        if event["type"] in ("job.created", "job.queued", "job.stale", "job.running"):
            out.print(f"  {event['at']}  {event['type']}", highlight=False)
    return job


def _show_creations(vendor: httpx.Client) -> None:
    created = vendor.get("/__sandbox__/creations", params={"key": "luthier_key"}).json()
    out.print(f"\nvendor    created {created}: one paid job, whatever went wrong")
