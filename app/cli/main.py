"""The `luthier` command."""

import asyncio
import gc
import signal
from typing import Annotated

import typer

from app import bootstrap
from app.api.gate import is_loopback
from app.cli import demo as demo_command
from app.cli import doctor as doctor_command
from app.cli.console import fail
from app.cli.datasets import datasets
from app.cli.evaluations import evaluations
from app.cli.jobs import jobs
from app.cli.models import models
from app.cli.providers import providers, quote
from app.cli.sandbox import sandbox
from app.domain.errors import DatabaseUnavailable
from app.providers.catalog import ProviderMisconfigured
from app.settings import Settings, SettingsInvalid, load
from app.storage import migrating
from app.storage.claims import AnotherWorker
from app.storage.database import Database
from app.storage.migrating import DatabaseNewer
from app.telemetry import configure_logging

cli = typer.Typer(
    name="luthier",
    help="Fine-tune language models anywhere, and own what comes of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for group in (datasets, jobs, models, evaluations, providers, sandbox):
    cli.add_typer(group)
cli.command()(quote)

CANNOT_START = (
    AnotherWorker,
    DatabaseNewer,
    DatabaseUnavailable,
    ProviderMisconfigured,
    SettingsInvalid,
)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    reconciler: Annotated[bool, typer.Option(help="Work on jobs in this process as well.")] = True,
) -> None:
    """Serve the API, and work on jobs in the same process unless told otherwise."""
    import uvicorn

    from app.main import create_app

    settings = _settings()
    if settings.admin_key is None and not is_loopback(host):
        fail(
            f"{host} can be reached from outside, and no key is configured. "
            "Set LUTHIER_ADMIN_KEY, or serve on 127.0.0.1."
        )
    house = _house(settings)
    # What stops a start is said in one line here, before uvicorn's lifespan would print a stack.
    _prepare(house, reconcile=reconciler)
    app = create_app(house, reconcile=reconciler)
    # What was built until here lives as long as the process. A collector that walks it again and
    # again stops every request for a tenth of a second.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )


@cli.command()
def worker() -> None:
    """Work on jobs without serving the API; any number of workers share one Postgres."""
    settings = _settings()
    house = _house(settings)
    try:
        asyncio.run(_work(house))
    except CANNOT_START as error:
        fail(str(error))


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    settings = _settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(bootstrap.database_url(settings))
    asyncio.run(migrating.migrate(database.url))
    typer.echo(f"The database is at revision {migrating.head()}.")


@cli.command()
def doctor() -> None:
    """Say what is configured, what is missing, and what to do."""
    raise typer.Exit(0 if asyncio.run(doctor_command.examine()) else 1)


@cli.command()
def demo(
    task: Annotated[
        demo_command.Task, typer.Option(help="Which task to learn.")
    ] = demo_command.Task.FEEDBACK,
    keep: Annotated[bool, typer.Option(help="Leave the service running at the end.")] = False,
) -> None:
    """Fine-tune a small model on this machine and compare it with its base."""
    demo_command.run(task, keep=keep)


def _settings() -> Settings:
    try:
        settings = load()
    except SettingsInvalid as error:
        fail(f"The configuration cannot be used: {error}")
    configure_logging(settings.log_format)
    return settings


def _house(settings: Settings) -> bootstrap.House:
    try:
        return bootstrap.build(settings)
    except (ProviderMisconfigured, ValueError) as error:
        fail(str(error))


def _prepare(house: bootstrap.House, *, reconcile: bool) -> None:
    try:
        asyncio.run(bootstrap.prepare(house, reconcile=reconcile))
    except CANNOT_START as error:
        fail(str(error))


async def _work(house: bootstrap.House) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await bootstrap.prepare(house, reconcile=True)
    async with bootstrap.opened(house, reconcile=True):
        await stopping.wait()
