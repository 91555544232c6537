"""To run the service: serve it, work on its jobs, bring its database up to date."""

import asyncio
import gc
import signal
from contextlib import suppress
from math import ceil

import typer
import uvicorn

from app import bootstrap
from app.api.gate import is_loopback
from app.cli.console import fail, say
from app.cli.server import Server
from app.domain.errors import DatabaseUnavailable
from app.main import create_app
from app.providers.catalog import ProviderMisconfigured
from app.settings import Settings, SettingsInvalid, load
from app.storage import compatibility, migrating
from app.storage.claims import AnotherWorker
from app.storage.compatibility import DatabaseNewer, Standing
from app.storage.database import Database
from app.telemetry.counts import NotTold, telling
from app.telemetry.logs import configure_logging
from app.telemetry.traces import NotTraced, configure_tracing

CANNOT_START = (
    AnotherWorker,
    DatabaseNewer,
    DatabaseUnavailable,
    NotTold,
    ProviderMisconfigured,
    SettingsInvalid,
)


def serve(host: str, port: int, *, reconcile: bool) -> None:
    """Serve the API until the process is told to end."""
    settings = _settings()
    if settings.admin_key is None and not is_loopback(host):
        fail(
            f"{host} can be reached from outside, and no key is configured. "
            "Set LUTHIER_ADMIN_KEY, or serve on 127.0.0.1."
        )
    house = _house(settings)
    # What stops a start is said in one line here, before uvicorn's lifespan would print a stack.
    _prepare(house, reconcile=reconcile)
    app = create_app(house, reconcile=reconcile)
    # What was built until here lives as long as the process. A collector that walks it again and
    # again stops every request for a tenth of a second.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=ceil(settings.request_seconds),
    )
    server = Server(config, house.services, grace=settings.drain_seconds)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise typer.Exit(3)


def worker() -> None:
    """Work on jobs until the process is told to end."""
    settings = _settings()
    house = _house(settings)
    try:
        with telling(settings.worker_metrics):
            asyncio.run(_work(house))
    except CANNOT_START as error:
        fail(str(error))


def migrate() -> None:
    """Bring the database to this version's revision."""
    settings = _settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        standing = asyncio.run(_migrate(Database(bootstrap.database_url(settings))))
    except (DatabaseNewer, DatabaseUnavailable) as error:
        fail(str(error))
    if standing is Standing.AHEAD:
        say("A later version has migrated the database; this one can work with it as it is.")
    else:
        say(f"The database is at revision {migrating.head()}.")


def _settings() -> Settings:
    try:
        settings = load()
    except SettingsInvalid as error:
        fail(f"The configuration cannot be used: {error}")
    configure_logging(settings.log_format)
    try:
        configure_tracing()
    except NotTraced as error:
        fail(str(error))
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


async def _migrate(database: Database) -> Standing:
    standing = await compatibility.standing(database)
    if standing is Standing.BEHIND:
        await migrating.migrate(database.url)
    await database.dispose()
    return standing


async def _work(house: bootstrap.House) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await bootstrap.prepare(house, reconcile=True)
    async with bootstrap.opened(house, reconcile=True):
        await stopping.wait()
