"""The `luthier` command. What speaks HTTP starts fast: the service is imported to run it only."""

from typing import Annotated

import typer

from app.cli import demo as demo_command
from app.cli.aliases import aliases
from app.cli.cards import card, export
from app.cli.comparisons import compare
from app.cli.datasets import datasets
from app.cli.evaluations import evaluations
from app.cli.jobs import jobs
from app.cli.keys import keys
from app.cli.ledger import ledger
from app.cli.migrations import migrate as migrate_model
from app.cli.models import models
from app.cli.providers import providers, quote
from app.cli.sandbox import sandbox
from app.cli.webhooks import webhooks

cli = typer.Typer(
    name="luthier",
    help="Fine-tune language models anywhere, and own what comes of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

models.command()(card)
models.command()(export)
models.command("migrate")(migrate_model)

for group in (
    datasets,
    jobs,
    models,
    evaluations,
    compare,
    aliases,
    providers,
    webhooks,
    keys,
    sandbox,
):
    cli.add_typer(group)
cli.command()(quote)
cli.command()(ledger)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    reconciler: Annotated[bool, typer.Option(help="Work on jobs in this process as well.")] = True,
) -> None:
    """Serve the API, and work on jobs in the same process unless told otherwise."""
    from app.cli import operating

    operating.serve(host, port, reconcile=reconciler)


@cli.command()
def worker() -> None:
    """Work on jobs without serving the API; any number of workers share one Postgres."""
    from app.cli import operating

    operating.worker()


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    from app.cli import operating

    operating.migrate()


@cli.command()
def doctor() -> None:
    """Say what is configured, what is missing, and what to do."""
    from app.cli.doctor import examine

    raise typer.Exit(0 if examine() else 1)


@cli.command()
def demo(
    task: Annotated[
        demo_command.Task, typer.Option(help="Which task to learn.")
    ] = demo_command.Task.FEEDBACK,
    keep: Annotated[bool, typer.Option(help="Leave the service running at the end.")] = False,
) -> None:
    """Fine-tune a small model on this machine and compare it with its base."""
    demo_command.run(task, keep=keep)
