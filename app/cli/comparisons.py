"""`luthier compare`: one recipe on several targets, and a table of what came of each."""

from typing import Annotated, Any

import httpx
import typer

from app.cli.console import complain, print_fields, print_rows, remark, say, show_more
from app.cli.datasets import Ref, Settings
from app.cli.jobs import Tags, evaluation_wish
from app.cli.names import base_model, interval, minute, number, target, version
from app.cli.polling import until
from app.cli.remote import Cursor, Limit, Remote, given, over_http, pairs, part, values

compare = typer.Typer(name="compare", help="Comparisons: one recipe on several targets.")

ComparisonId = Annotated[str, typer.Argument(metavar="ID", help="The comparison's id.")]

FINAL = ("succeeded", "failed", "cancelled")


@compare.command()
@over_http
def create(
    remote: Remote,
    dataset: Ref,
    targets: Annotated[
        list[str], typer.Argument(metavar="PROVIDER/BASE_MODEL...", help="Where to train.")
    ],
    *,
    evaluate: Annotated[str, typer.Option(help="The held-out examples that all answer.")],
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="The first decides; repeatable.")
    ] = None,
    validation_split: Annotated[
        float | None, typer.Option(help="Set this share of the dataset aside to steer by.")
    ] = None,
    method: Annotated[str, typer.Option(help="sft, dpo, or what else all targets have.")] = "sft",
    settings: Settings = None,
    include_bases: Annotated[
        bool, typer.Option("--include-bases", help="The base models as they are answer too.")
    ] = False,
    budget_usd: Annotated[str | None, typer.Option(help="For all trainings together.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same training.")] = None,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    tags: Tags = None,
) -> None:
    """Queue a training for each target; prints the comparison's id."""
    wanted = {
        "dataset": dataset,
        "targets": [target(text) for text in targets],
        "evaluate": evaluation_wish(evaluate, metrics),
        "validation_split": validation_split,
        "method": {"type": method, "hyperparameters": values(settings)},
        "include_bases": include_bases,
        "budget_usd": budget_usd,
        "seed": seed,
        "name": name,
        "tags": pairs(tags, ":"),
    }
    remote.show(remote.create("/comparisons", given(wanted)), _show_created)


@compare.command("list")
@over_http
def list_comparisons(remote: Remote, *, limit: Limit = 50, cursor: Cursor = None) -> None:
    """Comparisons, newest first."""
    remote.show(remote.get("/comparisons", limit=limit, cursor=cursor), _show_list)


@compare.command()
@over_http
def show(remote: Remote, id: ComparisonId) -> None:
    """How far a comparison is, and its table once it has ended."""
    remote.show(remote.get(f"/comparisons/{part(id)}"), _show)


@compare.command()
@over_http
def watch(remote: Remote, id: ComparisonId) -> None:
    """Follow a comparison to its end; the exit status is 0 where it succeeded."""
    response = _ended(remote, id)
    remote.show(response, _show)
    if response.json()["status"] != "succeeded":
        raise typer.Exit(1)


@compare.command()
@over_http
def cancel(remote: Remote, id: ComparisonId) -> None:
    """End a comparison and ask for the end of its jobs; models that are there stay."""
    ended = remote.post(f"/comparisons/{part(id)}/cancel")
    remote.show(ended, lambda comparison: say(comparison["status"]))


def _ended(remote: Remote, id: str) -> httpx.Response:
    """The last answer; on the way a remark at each change."""
    told = ""

    def look() -> httpx.Response:
        nonlocal told
        response = remote.get(f"/comparisons/{part(id)}")
        if (now := _how_far(response.json())) != told:
            remark(told := now)
        return response

    return until(lambda response: response.json()["status"] in FINAL, look)


def _how_far(comparison: dict[str, Any]) -> str:
    jobs = comparison["jobs"]
    return f"{comparison['status']}: " + ", ".join(
        f"{base_model(one)} {one['status']}" for one in jobs
    )


def _show_created(comparison: dict[str, Any]) -> None:
    say(comparison["id"])
    remark(f"{len(comparison['jobs'])} jobs. See it: luthier compare watch {comparison['id']}")


def _show_list(page: dict[str, Any]) -> None:
    print_rows(
        ("id", "status", "dataset", "targets", "name", "created"),
        (
            (
                one["id"],
                one["status"],
                version(one["dataset"]),
                len(one["jobs"]),
                one["name"],
                minute(one["created_at"]),
            )
            for one in page["data"]
        ),
    )
    show_more(page)


def _show(comparison: dict[str, Any]) -> None:
    print_fields(
        {
            "id": comparison["id"],
            "name": comparison["name"],
            "status": comparison["status"],
            "dataset": version(comparison["dataset"]),
            "held out": version(comparison["held_out"]),
            "evaluation": comparison["evaluation"],
        }
    )
    if comparison["standings"]:
        print_rows(
            ("target", "model", "best", "quality", "95 % interval", "USD", "p50 s", "why not"),
            (_standing(row) for row in comparison["standings"]),
        )
    else:
        print_rows(
            ("target", "job", "status"),
            ((base_model(one), one["job"], one["status"]) for one in comparison["jobs"]),
        )
    if comparison["error"]:
        complain(f"{comparison['error']['code']}: {comparison['error']['message']}")


def _standing(row: dict[str, Any]) -> tuple[object, ...]:
    """`best`: no other row is as good in everything and better in something."""
    return (
        base_model(row),
        row["model"],
        row["pareto"],
        number(row["quality"]),
        interval(row["interval"]),
        row["cost_usd"],
        number(row["latency_p50"]),
        row["reason"],
    )
