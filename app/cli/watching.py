"""A job as it goes on: each request waits for a change instead of polling."""

from collections.abc import Iterator
from typing import Any

import httpx
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.console import out, say

FINAL = ("succeeded", "failed", "cancelled")

WAIT_SECONDS = 20


def watch(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """The job at its end, or as soon as it is blocked; on the way a bar that moves with it.

    What is no terminal gets a line for each change.
    """
    if not out.is_terminal:
        seen = job
        for seen in changes(client, job):
            say(f"{seen['status']}  {_percent(seen):.0f} %  {_said(seen)}".rstrip())
        return seen
    columns = (
        TextColumn("{task.description:<11}"),
        BarColumn(bar_width=40),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[said]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as bar:
        seen, shown = job, bar.add_task(job["status"], total=100, said="")
        for seen in changes(client, job):
            bar.update(
                shown, completed=_percent(seen), description=seen["status"], said=_said(seen)
            )
    return seen


def changes(client: httpx.Client, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The job as it is now, and again after every change, until nothing more happens alone."""
    yield job
    while job["status"] not in FINAL and job["status"] != "blocked":
        known = {"If-None-Match": f'"{job["id"]}.{job["revision"]}"'}
        response = client.get(f"/jobs/{job['id']}", params={"wait": WAIT_SECONDS}, headers=known)
        if response.status_code == 304:
            continue
        job = response.json()
        yield job


def _percent(job: dict[str, Any]) -> float:
    return 100 if job["status"] == "succeeded" else (job["progress"] or {}).get("percent", 0)


def _said(job: dict[str, Any]) -> str:
    progress, metrics = job["progress"] or {}, job["metrics"]
    parts = [
        "the provider does not answer" if job["stale"] else None,
        f"step {progress['step']}/{progress['total_steps']}" if progress.get("step") else None,
        f"loss {metrics['loss']:.3f}" if "loss" in metrics else None,
        f"{metrics['tokens_per_second']:.0f} tokens/s" if "tokens_per_second" in metrics else None,
    ]
    remote = (job["remote"] or {}).get("status")
    return "  ".join(part for part in parts if part) or remote or ""
