"""`luthier eval`: compare models on held-out examples, and read where they fail."""

from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, Progress, TextColumn

from app.cli.console import complain, out, print_fields, print_rows, remark, say, show_more
from app.cli.names import interval, number, version
from app.cli.polling import until
from app.cli.remote import Cursor, Limit, Remote, given, over_http, part

evaluations = typer.Typer(name="eval", help="Evaluations: run, read.")

EvaluationId = Annotated[str, typer.Argument(metavar="ID", help="The evaluation's id.")]

FINAL = ("succeeded", "failed")


@evaluations.command()
@over_http
def run(
    remote: Remote,
    dataset: Annotated[str, typer.Argument(help="Held-out examples: id, `name` or `name@3`.")],
    candidates: Annotated[
        list[str], typer.Argument(help="Models' ids or `provider/base_model`; the baseline first.")
    ],
    *,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="Repeatable; by default exact_match.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
) -> None:
    """Ask all candidates, and show how they compare.

    The evaluation goes on where this command is interrupted.
    """
    wanted = {
        "dataset": dataset,
        "candidates": candidates,
        "metrics": metrics or None,
        "limit": limit,
    }
    begun = remote.create("/evaluations", given(wanted)).json()
    remark(f"{begun['id']}: {begun['total']} answers to get")
    response = finished(remote, begun)
    remote.show(response, _show)
    if response.json()["status"] == "failed":
        raise typer.Exit(1)


@evaluations.command()
@over_http
def show(remote: Remote, id: EvaluationId) -> None:
    """How far an evaluation is, and what came of it."""
    remote.show(remote.get(f"/evaluations/{part(id)}"), _show)


@evaluations.command()
@over_http
def examples(
    remote: Remote,
    id: EvaluationId,
    *,
    sort: Annotated[str, typer.Option(help="row, worst or disagreement.")] = "row",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """What was asked and expected, and what each candidate said."""
    path = f"/evaluations/{part(id)}/examples"
    remote.show(remote.get(path, sort=sort, limit=limit, cursor=cursor), _show_examples)


def finished(remote: Remote, evaluation: dict[str, Any]) -> httpx.Response:
    """The evaluation's last answer; on a terminal a bar shows how far it is."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        TextColumn("{task.completed:.0f}/{task.total:.0f} answers"),
    )
    is_hidden = remote.as_json or not out.is_terminal
    with Progress(*columns, console=out, transient=True, disable=is_hidden) as bar:
        shown = bar.add_task("evaluating", total=evaluation["total"])

        def look() -> httpx.Response:
            response = remote.get(f"/evaluations/{evaluation['id']}")
            bar.update(shown, completed=response.json()["answered"])
            return response

        return until(lambda response: response.json()["status"] in FINAL, look)


def show_scores(evaluation: dict[str, Any]) -> None:
    """How good each candidate was, with the interval that its mean lies in."""
    print_rows(
        ("candidate", "metric", "mean", "95 % interval", "examples"),
        (_score(score) for score in evaluation["scores"]),
    )


def _show(evaluation: dict[str, Any]) -> None:
    print_fields(
        {
            "id": evaluation["id"],
            "dataset": version(evaluation["dataset"]),
            "status": evaluation["status"],
            "answers": f"{evaluation['answered']} of {evaluation['total']}",
            "gate passed": evaluation["passed"],
        }
    )
    show_scores(evaluation)
    for difference in evaluation["differences"]:
        _show_difference(difference)
    if evaluation["error"]:
        complain(f"{evaluation['error']['code']}: {evaluation['error']['message']}")


def _score(score: dict[str, Any]) -> tuple[object, ...]:
    return (
        score["candidate"],
        score["metric"],
        number(score["mean"]),
        interval(score["interval"]),
        score["examples"],
    )


def _show_difference(difference: dict[str, Any]) -> None:
    if difference["mean"] is not None:
        say(
            f"{difference['candidate']} against {difference['baseline']}: {difference['metric']} "
            f"{difference['mean']:+.3f} ({interval(difference['interval'])})"
        )


def _show_examples(page: dict[str, Any]) -> None:
    for judged in page["data"]:
        say(f"line {judged['line']}", style="bold")
        for message in judged["prompt"]:
            say(f"  {message['role']:<10} {message.get('content') or ''}")
        say(f"  {'expected':<10} {judged['expected']}")
        for answer in judged["answers"]:
            scores = ", ".join(f"{name} {mark:.2f}" for name, mark in answer["scores"].items())
            said = answer["refusal"] or answer["output"]
            say(f"  {answer['candidate']} ({scores}): {said}")
    show_more(page)
