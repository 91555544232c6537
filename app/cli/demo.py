"""`luthier demo`: a task, its data, a real fine-tuning, base against tuned, one question."""

import sys
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from rich.markup import escape

from app.cli.console import out
from app.cli.datasets import ready_report
from app.cli.remote import Remote
from app.cli.service import Running, running_service
from app.cli.steps import DATA, compare, train, upload

BASE = "local/luthier-tiny"

Answer = dict[str, Any]


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
    with running_service(data_dir) as service:
        out.print(f"[bold]{lesson.title}[/bold]\nService: {service.url}/docs  Data: {data_dir}\n")
        job = _teach(service.remote, lesson)
        _say_what_next(service, job, keep=keep)
        if keep:
            service.process.wait()


def _teach(remote: Remote, lesson: Lesson) -> Answer:
    """The job whose model was compared with its base."""
    examples = _upload(remote, lesson, "train")
    _report(remote, examples)
    _compile(remote, examples)
    tests = {name: _upload(remote, lesson, name) for name in lesson.held_out}
    job = train(remote, _recipe(lesson, examples))
    tuned = str(job["tuned_model"])
    _show_effective(remote, tuned)
    for name, test in tests.items():
        wanted = {"dataset": test["id"], "candidates": [BASE, tuned], "metrics": [lesson.metric]}
        compare(remote, wanted, f"held-out examples: {lesson.held_out[name]}")
    _ask(remote, lesson, tuned, tests["test"])
    return job


def _upload(remote: Remote, lesson: Lesson, name: str) -> Answer:
    file = DATA / lesson.folder / f"{name}.jsonl"
    return upload(remote, f"{lesson.folder}-{name}", file)


def _report(remote: Remote, dataset: Answer) -> None:
    """What the service thinks of the examples before anything is trained."""
    report = ready_report(remote, dataset["id"]).json()
    out.print(f"  report  {report['quantity']['message']}", soft_wrap=True)
    for finding in (report["report"] or {}).get("findings", []):
        lines = ", ".join(str(line) for line in finding["lines"][:5])
        out.print(f"          {finding['message']} Lines {lines}.", soft_wrap=True)


def _compile(remote: Remote, dataset: Answer) -> None:
    """What the base model's own tokenizer and chat template make of the examples."""
    target = {"provider": "local", "base_model": "luthier-tiny"}
    verdict = remote.post(f"/datasets/{dataset['id']}/compile", target).json()
    out.print(
        f"  compile {'fits' if verdict['ok'] else 'does not fit'} luthier-tiny: "
        f"{verdict['tokens']} tokens an epoch, {verdict['longest_example']} in the longest example",
        soft_wrap=True,
    )


def _recipe(lesson: Lesson, examples: Answer) -> Answer:
    return {
        "provider": "local",
        "base_model": "luthier-tiny",
        "dataset": examples["id"],
        "method": {"type": "sft", "hyperparameters": lesson.hyperparameters},
        "name": lesson.folder.replace("_", "-"),
        "seed": 7,
        "tags": {"demo": lesson.folder},
    }


def _show_effective(remote: Remote, tuned: str) -> None:
    """What `auto` came to."""
    effective = remote.get(f"/models/{tuned}").json()["effective"]
    out.print(
        f"model     [bold]{tuned}[/bold]  {effective.get('adapter')}, "
        f"{effective.get('epochs'):g} epochs, learning rate {effective.get('learning_rate'):g}",
        soft_wrap=True,
    )


def _ask(remote: Remote, lesson: Lesson, tuned: str, test: Answer) -> None:
    """The question in the very form of the examples, so that nothing but the input is new."""
    first = remote.get(f"/datasets/{test['id']}/examples", limit=1).json()
    shown = first["data"][0]["example"]["messages"]
    question = _like(shown[-2]["content"], lesson.question)
    messages = [*shown[:-2], {"role": "user", "content": question}]
    out.print(f"\nquestion  [bold]{escape(lesson.question)}[/bold]")
    for model in (BASE, tuned):
        body = {"messages": messages, "temperature": 0, "max_tokens": 40}
        answer = remote.post(f"/models/{model}/chat/completions", body).json()
        text = answer["choices"][0]["message"]["content"]
        out.print(f"  {model:<34} [green]{escape(text.strip()[:100])}[/green]")


def _like(example: str, text: str) -> str:
    """An example's prompt, `instruction, label: text`, with another text."""
    head, newline, last = example.rpartition("\n")
    label, colon, _ = last.partition(": ")
    return f"{head}{newline}{label}{colon}{text}" if colon else f"{head}{newline}{text}"


def _say_what_next(service: Running, job: Answer, *, keep: bool) -> None:
    base = service.url if keep else "http://127.0.0.1:8000"
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
