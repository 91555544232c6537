"""`luthier jobs`: begin a training, watch it, steer it."""

import json
from typing import Annotated, Any

import typer

from app.cli.console import complain, print_fields, print_rows, remark, say, show_more
from app.cli.datasets import Settings
from app.cli.names import base_model as base
from app.cli.names import minute, version
from app.cli.remote import Cursor, Limit, Remote, given, over_http, pairs, part, values
from app.cli.streaming import data_lines
from app.cli.watching import changes, watch

jobs = typer.Typer(name="jobs", help="Jobs: create, watch, steer.")

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="KEY:VALUE", help="Repeatable.")]


@jobs.command()
@over_http
def create(
    remote: Remote,
    *,
    provider: Annotated[str, typer.Option(help="Where to train.")],
    base_model: Annotated[str, typer.Option(help="A base model, or a tuned model to continue.")],
    dataset: Annotated[str, typer.Option(help="Id, `name` or `name@3`.")],
    validation_dataset: Annotated[str | None, typer.Option(help="What to steer by.")] = None,
    validation_split: Annotated[
        float | None, typer.Option(help="Set this share of the dataset aside instead.")
    ] = None,
    method: Annotated[str, typer.Option(help="sft, dpo, or what else the provider has.")] = "sft",
    settings: Settings = None,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same training.")] = None,
    tags: Tags = None,
    budget_usd: Annotated[
        str | None, typer.Option(help="Refuse the job where it is quoted to cost more.")
    ] = None,
    evaluate: Annotated[
        str | None, typer.Option(help="Compare base and tuned on this dataset in the end.")
    ] = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="Of that comparison.")
    ] = None,
) -> None:
    """Queue a training; prints the job's id."""
    wanted = {
        "provider": provider,
        "base_model": base_model,
        "dataset": dataset,
        "validation_dataset": validation_dataset,
        "validation_split": validation_split,
        "method": {"type": method, "hyperparameters": values(settings)},
        "name": name,
        "seed": seed,
        "tags": pairs(tags, ":"),
        "budget_usd": budget_usd,
        "evaluate": evaluation_wish(evaluate, metrics),
    }
    remote.show(remote.create("/jobs", given(wanted)), _show_created)


@jobs.command("list")
@over_http
def list_jobs(
    remote: Remote,
    *,
    status: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only of this provider.")] = None,
    tag: Annotated[str | None, typer.Option(metavar="KEY:VALUE", help="Only with this.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """Jobs, newest first."""
    asked = {"status": status, "provider": provider, "tag": tag, "limit": limit, "cursor": cursor}
    remote.show(remote.get("/jobs", **asked), _show_list)


@jobs.command()
@over_http
def show(remote: Remote, id: JobId) -> None:
    """One job."""
    remote.show(remote.get(f"/jobs/{part(id)}"), _show)


@jobs.command("watch")
@over_http
def watch_job(remote: Remote, id: JobId) -> None:
    """Follow a job to its end; the exit status is 0 where it succeeded."""
    path = f"/jobs/{part(id)}"
    job = remote.get(path).json()
    if remote.as_json:
        *_, job = changes(remote.http, job)
    else:
        job = watch(remote.http, job)
    remote.show(remote.get(path), _show_end)
    if job["status"] != "succeeded":
        raise typer.Exit(1)


@jobs.command()
@over_http
def events(
    remote: Remote,
    id: JobId,
    *,
    follow: Annotated[bool, typer.Option(help="Until the job has ended.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """What happened to a job, oldest first."""
    path = f"/jobs/{part(id)}/events"
    if not follow:
        remote.show(remote.get(path, limit=limit, cursor=cursor), _show_events)
        return
    for line in data_lines(remote.http, "GET", path):
        if remote.as_json:
            print(line)
        else:
            _show_event(json.loads(line))


@jobs.command()
@over_http
def logs(
    remote: Remote,
    id: JobId,
    *,
    offset: Annotated[int, typer.Option(min=0, help="Byte to begin at.")] = 0,
) -> None:
    """What the training printed."""
    response = remote.get(f"/jobs/{part(id)}/logs", offset=offset)
    remote.show(response, lambda piece: say(piece["text"].removesuffix("\n")))


@jobs.command()
@over_http
def cancel(remote: Remote, id: JobId) -> None:
    """Ask for the end of a job."""
    _steer(remote, id, "cancel")


@jobs.command()
@over_http
def pause(remote: Remote, id: JobId) -> None:
    """Ask for a pause, where the provider offers it."""
    _steer(remote, id, "pause")


@jobs.command()
@over_http
def resume(remote: Remote, id: JobId) -> None:
    """Ask a paused job to go on."""
    _steer(remote, id, "resume")


@jobs.command()
@over_http
def retry(remote: Remote, id: JobId) -> None:
    """Begin a new attempt of a job that failed, was cancelled or is blocked."""
    _steer(remote, id, "retry")


def evaluation_wish(dataset: str | None, metrics: list[str] | None) -> dict[str, Any] | None:
    """What the models are to be compared on, if on anything."""
    if dataset is None:
        return None
    return {"dataset": dataset, "metrics": metrics} if metrics else {"dataset": dataset}


def _steer(remote: Remote, id: str, wish: str) -> None:
    remote.show(remote.post(f"/jobs/{part(id)}/{wish}"), _show_wish)


def _show_created(job: dict[str, Any]) -> None:
    say(job["id"])
    quoted = job["cost"]["quoted_usd"]
    cost = f", quoted at up to {quoted} USD" if quoted else ""
    remark(f"{job['method']['type']} on {base(job)}{cost}. See it: luthier jobs watch {job['id']}")


def _show_list(page: dict[str, Any]) -> None:
    print_rows(
        ("id", "status", "base model", "dataset", "name", "created"),
        (
            (
                job["id"],
                job["status"],
                base(job),
                version(job["dataset"]),
                job["name"],
                minute(job["created_at"]),
            )
            for job in page["data"]
        ),
    )
    show_more(page)


def _show(job: dict[str, Any]) -> None:
    progress, remote, cost = job["progress"] or {}, job["remote"] or {}, job["cost"]
    print_fields(
        {
            "id": job["id"],
            "name": job["name"],
            "status": job["status"] + (" (the provider does not answer)" if job["stale"] else ""),
            "because": job["status_detail"],
            "base model": base(job),
            "dataset": version(job["dataset"]),
            "method": job["method"]["type"],
            "progress": f"{progress['percent']:g} %" if progress else None,
            **{name: f"{value:g}" for name, value in job["metrics"].items()},
            "at provider": remote.get("id"),
            "see": remote.get("url"),
            "quoted USD": cost["quoted_usd"],
            "actual USD": cost["actual_usd"],
            "tuned model": job["tuned_model"],
            "attempts": len(job["attempts"]),
            "created": job["created_at"],
            "finished": job["finished_at"],
        }
    )
    _complain_of(job)


def _show_end(job: dict[str, Any]) -> None:
    if job["tuned_model"]:
        say(job["tuned_model"])
    elif job["status"] == "blocked":
        complain(f"It is your turn: {job['status_detail']}")
    _complain_of(job)


def _complain_of(job: dict[str, Any]) -> None:
    error = job["error"]
    if error is not None:
        hints = [error["hint"]] if error["hint"] else []
        complain(f"{error['code']}: {error['message']}", *hints)


def _show_events(page: dict[str, Any]) -> None:
    for event in page["data"]:
        _show_event(event)
    show_more(page)


def _show_event(event: dict[str, Any]) -> None:
    told = json.dumps(event["data"], ensure_ascii=False) if event["data"] else ""
    say(f"{event['at']}  {event['type']:<16} {told}".rstrip())


def _show_wish(job: dict[str, Any]) -> None:
    say(f"{job['status']} (wanted: {job['desired']})")
