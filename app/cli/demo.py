"""`luthier demo`: a task, its data, a real fine-tuning, base against tuned, one question."""

import sys
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from app.cli.console import fail, out
from app.cli.service import base_url, checked, running_service
from app.cli.watching import watch

DATA = Path(__file__).parent / "demo_data"


class Task(StrEnum):
    """What the demo can teach."""

    FEEDBACK = "feedback"
    BRAND_VOICE = "brand-voice"


@dataclass(frozen=True)
class Lesson:
    """A task's files, how to judge it, and a question to ask in the end."""

    title: str
    folder: str
    held_out: dict[str, str]
    metric: str
    question: str
    hyperparameters: dict[str, Any] = field(default_factory=dict[str, Any])


LESSONS = {
    Task.FEEDBACK: Lesson(
        title="Customer feedback into the internal categories of a company",
        folder="feedback",
        held_out={
            "test": "new combinations of known phrases",
            "unseen": "phrases never seen in training",
            "handwritten": "sentences written by hand",
        },
        metric="exact_match",
        question="I was charged twice for my order this month.",
    ),
    Task.BRAND_VOICE: Lesson(
        title="Plain sentences in the voice of a brand",
        folder="brand_voice",
        held_out={"test": "sentences that were not in training"},
        metric="f1",
        question="Your order is broken today.",
        # Rewriting is harder than sorting: the default six epochs teach it little.
        hyperparameters={"epochs": 16},
    ),
}


def run(task: Task, *, keep: bool) -> None:
    """Show the whole way from a file to an answer, on a service of its own."""
    lesson = LESSONS[task]
    data_dir = Path("luthier-demo").absolute()
    with running_service(data_dir) as (client, service):
        out.print(
            f"[bold]{lesson.title}[/bold]\nService: {base_url(client)}/docs  Data: {data_dir}\n"
        )
        train = _upload(client, f"{lesson.folder}-train", DATA / lesson.folder / "train.jsonl")
        _report(client, train)
        _compile(client, train)
        tests = {
            name: _upload(client, f"{lesson.folder}-{name}", DATA / lesson.folder / f"{name}.jsonl")
            for name in lesson.held_out
        }
        job = _train(client, lesson, train)
        tuned = str(job["tuned_model"])
        for name, test in tests.items():
            _evaluate(client, lesson, name, test, ["local/luthier-tiny", tuned])
        _ask(client, lesson, tuned, tests["test"])
        _say_what_next(client, job, keep=keep)
        if keep:
            service.wait()


def _upload(client: httpx.Client, name: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        dataset = checked(
            client.post("/datasets", data={"name": name}, files={"file": (path.name, file)})
        )
    out.print(
        f"dataset   [bold]{dataset['name']}@{dataset['version']}[/bold]  "
        f"{dataset['examples']} examples, checked line by line"
    )
    return dataset


def _report(client: httpx.Client, dataset: dict[str, Any]) -> None:
    """What the service thinks of the examples before anything is trained."""
    report = checked(client.get(f"/datasets/{dataset['id']}/report"))
    while report["status"] not in ("ready", "failed"):
        time.sleep(0.3)
        report = checked(client.get(f"/datasets/{dataset['id']}/report"))
    out.print(f"  report  {report['quantity']['message']}", soft_wrap=True)
    for finding in (report["report"] or {}).get("findings", []):
        lines = ", ".join(str(line) for line in finding["lines"][:5])
        out.print(f"          {finding['message']} Lines {lines}.", soft_wrap=True)


def _compile(client: httpx.Client, dataset: dict[str, Any]) -> None:
    """What the base model's own tokenizer and chat template make of the examples."""
    target = {"provider": "local", "base_model": "luthier-tiny"}
    verdict = checked(client.post(f"/datasets/{dataset['id']}/compile", json=target))
    out.print(
        f"  compile {'fits' if verdict['ok'] else 'does not fit'} luthier-tiny: "
        f"{verdict['tokens']} tokens an epoch, {verdict['longest_example']} in the longest example",
        soft_wrap=True,
    )


def _train(client: httpx.Client, lesson: Lesson, train: dict[str, Any]) -> dict[str, Any]:
    job = checked(
        client.post(
            "/jobs",
            json={
                "provider": "local",
                "base_model": "luthier-tiny",
                "dataset": train["id"],
                "method": {"type": "sft", "hyperparameters": lesson.hyperparameters},
                "name": lesson.folder.replace("_", "-"),
                "seed": 7,
                "tags": {"demo": lesson.folder},
            },
        )
    )
    out.print(f"job       [bold]{job['id']}[/bold]  sft on local/luthier-tiny\n")
    job = watch(client, job)
    if job["status"] != "succeeded":
        error = job["error"] or {}
        fail(f"The job {job['status']}: {error.get('message')} {error.get('hint') or ''}")
    effective = checked(client.get(f"/models/{job['tuned_model']}"))["effective"]
    out.print(
        f"model     [bold]{job['tuned_model']}[/bold]  {effective.get('adapter')}, "
        f"{effective.get('epochs'):g} epochs, learning rate {effective.get('learning_rate'):g}\n",
        soft_wrap=True,
    )
    return job


def _evaluate(
    client: httpx.Client, lesson: Lesson, name: str, test: dict[str, Any], candidates: list[str]
) -> None:
    evaluation = checked(
        client.post(
            "/evaluations",
            json={"dataset": test["id"], "candidates": candidates, "metrics": [lesson.metric]},
        )
    )
    with Progress(
        TextColumn(f"evaluating  {test['examples']} {lesson.held_out[name]}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total:.0f} answers"),
        console=out,
        transient=True,
    ) as bar:
        shown = bar.add_task("", total=evaluation["total"])
        while evaluation["status"] not in ("succeeded", "failed"):
            time.sleep(0.3)
            evaluation = checked(client.get(f"/evaluations/{evaluation['id']}"))
            bar.update(shown, completed=evaluation["answered"])
    if evaluation["status"] == "failed":
        fail(f"The evaluation failed: {evaluation['error']['message']}")
    out.print(_table(lesson, name, evaluation))


def _table(lesson: Lesson, name: str, evaluation: dict[str, Any]) -> Table:
    title = f"{evaluation['examples']} held-out examples: {lesson.held_out[name]}"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("model")
    table.add_column(lesson.metric, justify="right")
    table.add_column("95 % interval", justify="right")
    for score in evaluation["scores"]:
        low, high = score["interval"]["low"], score["interval"]["high"]
        table.add_row(score["candidate"], f"{score['mean']:.2f}", f"{low:.2f} to {high:.2f}")
    return table


def _ask(client: httpx.Client, lesson: Lesson, tuned: str, test: dict[str, Any]) -> None:
    """The question in the very form of the examples, so that nothing but the input is new."""
    first = checked(client.get(f"/datasets/{test['id']}/examples", params={"limit": 1}))
    shown = first["data"][0]["example"]["messages"]
    question = _like(shown[-2]["content"], lesson.question)
    messages = [*shown[:-2], {"role": "user", "content": question}]
    out.print(f"\nquestion  [bold]{escape(lesson.question)}[/bold]")
    for model in ("local/luthier-tiny", tuned):
        body = {"messages": messages, "temperature": 0, "max_tokens": 40}
        answer = checked(client.post(f"/models/{model}/chat/completions", json=body))
        text = answer["choices"][0]["message"]["content"]
        out.print(f"  {model:<34} [green]{escape(text.strip()[:100])}[/green]")


def _like(example: str, text: str) -> str:
    """An example's prompt, `instruction, label: text`, with another text."""
    head, newline, last = example.rpartition("\n")
    label, colon, _ = last.partition(": ")
    return f"{head}{newline}{label}{colon}{text}" if colon else f"{head}{newline}{text}"


def _say_what_next(client: httpx.Client, job: dict[str, Any], *, keep: bool) -> None:
    base = base_url(client) if keep else "http://127.0.0.1:8000"
    out.print("\n[bold]Where to look next[/bold]")
    if not keep:
        luthier = Path(sys.executable).with_name("luthier")
        serve = f"LUTHIER_DATA_DIR=luthier-demo {luthier} serve"
        out.print(f"  this service again      {serve}", soft_wrap=True)
    out.print(
        f"  the job and its loss    curl {base}/jobs/{job['id']}/metrics\n"
        f"  every event             curl {base}/jobs/{job['id']}/events\n"
        f"  the API                 {base}/docs\n"
        "  your own task           README.md, docs/local.md",
        soft_wrap=True,
    )
