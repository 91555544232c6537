"""The steps that the demonstrations share, each with lines that say what came of it."""

from pathlib import Path
from typing import Any

from app.cli.console import fail, out, say
from app.cli.datasets import send_file
from app.cli.evaluations import finished, show_scores
from app.cli.names import base_model, version
from app.cli.remote import Remote
from app.cli.watching import watch

DATA = Path(__file__).parent / "demo_data"

Answer = dict[str, Any]


def upload(remote: Remote, name: str, path: Path) -> Answer:
    """The dataset that a file of the demonstrations became."""
    dataset = send_file(remote, path, {"name": name}).json()
    out.print(
        f"dataset   [bold]{version(dataset)}[/bold]  {dataset['examples']} examples, "
        "checked line by line"
    )
    return dataset


def train(remote: Remote, recipe: Answer) -> Answer:
    """The job that has succeeded; one that has not ends the command with the reason."""
    job = remote.create("/jobs", recipe).json()
    quoted = job["cost"]["quoted_usd"]
    cost = f", quoted at up to {quoted} USD" if quoted else ""
    said = f"{job['method']['type']} on {base_model(job)}{cost}"
    out.print(f"\njob       [bold]{job['id']}[/bold]  {said}\n", soft_wrap=True)
    job = watch(remote.http, job)
    if job["status"] != "succeeded":
        error = job["error"] or {}
        fail(f"The job {job['status']}: {error.get('message')} {error.get('hint') or ''}")
    return job


def compare(remote: Remote, wanted: Answer, title: str) -> None:
    """Ask the candidates, and show how often they were right."""
    begun = remote.create("/evaluations", wanted).json()
    evaluation = finished(remote, begun).json()
    if evaluation["status"] == "failed":
        fail(f"The evaluation failed: {evaluation['error']['message']}")
    say(f"\n{evaluation['examples']} {title}", style="bold")
    show_scores(evaluation)
