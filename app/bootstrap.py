"""The keystone: the one place that knows which concrete thing stands behind which port."""

import asyncio
import os
import secrets
import socket
import tomllib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from app.domain.provider import Provider
from app.network.buckets import Buckets
from app.network.downloads import Downloads
from app.network.remote_files import RemoteFiles
from app.providers import catalog
from app.reconciler.loop import DRAIN_SECONDS, Reconciler
from app.reconciler.work import Workshop
from app.services.aliases import Aliases
from app.services.bundle import Services
from app.services.compilations import Compilations
from app.services.conversions import Conversions
from app.services.curation import Curation
from app.services.datasets import Datasets
from app.services.diffs import Diffs
from app.services.evaluation_examples import EvaluationExamples
from app.services.evaluations import Evaluations
from app.services.feedback import Feedbacks
from app.services.files import Files
from app.services.health import Health
from app.services.hosting import Hostings
from app.services.imports import Imports
from app.services.jobs import Jobs
from app.services.leakage import Leakages
from app.services.ledger import Ledger
from app.services.lifecycle import Lifecycle
from app.services.models import Models
from app.services.names import Names
from app.services.notices import Notices
from app.services.orphans import Orphans
from app.services.outcomes import Outcomes
from app.services.quotes import Quotes
from app.services.receiving import Receiving
from app.services.reports import Reports
from app.services.splits import Splits
from app.services.uploads import Uploads
from app.services.watching import Watch
from app.services.webhooks import Webhooks
from app.settings import Settings, SettingsInvalid
from app.storage import leases, migrating
from app.storage.blobs import Blobs
from app.storage.claims import only_worker
from app.storage.database import Database, embedded_url, wall_clock
from app.storage.evaluations import EvaluationRow
from app.storage.hosting import HostingRow
from app.storage.jobs import JobRow
from app.storage.reports import ReportRow
from app.storage.signals import Signals


@dataclass(frozen=True)
class House:
    """Everything that a process needs, put together and not yet running."""

    settings: Settings
    database: Database
    blobs: Blobs
    providers: Mapping[str, Provider]
    signals: Signals
    services: Services


def build(settings: Settings, *, providers: Mapping[str, Provider] | None = None) -> House:
    """Put the house together; `providers` stands in for what the settings configure."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(database_url(settings), pool=settings.database_pool)
    blobs = Blobs.at(settings.blobs_url or f"file://{settings.data_dir / 'blobs'}")
    signals = Signals()
    if providers is None:
        providers = catalog.connect(
            provider_sections(settings),
            data_dir=str(settings.data_dir),
            corrections=corrections(settings),
        )
    return House(
        settings,
        database,
        blobs,
        providers,
        signals,
        _services(settings, database, blobs, providers, signals),
    )


def database_url(settings: Settings) -> str:
    """Where the database is."""
    return settings.database_url or embedded_url(settings.data_dir)


def provider_sections(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """The configured connections, and the kinds that can do some things without configuration."""
    return catalog.with_unconfigured(settings.providers)


def corrections(settings: Settings) -> dict[str, Any]:
    """What the operator knows better of base models, by connection; raises `SettingsInvalid`."""
    if settings.catalogue is None:
        return {}
    try:
        return tomllib.loads(settings.catalogue.read_text())
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"catalogue: {settings.catalogue} cannot be read: {error}") from error


async def prepare(house: House, *, reconcile: bool) -> None:
    """Bring the database up to date; raises `DatabaseNewer` for one that a later version wrote.

    A process that is going to work where another one does is refused before it changes anything:
    `AnotherWorker`.
    """
    with only_worker(house.database, house.settings.data_dir) if reconcile else nullcontext():
        await migrating.refuse_newer(house.database)
        await migrating.migrate(house.database.url)
    # The event loop that opens the house may be another one: no connection is taken along.
    await house.database.dispose()


@asynccontextmanager
async def opened(house: House, *, reconcile: bool) -> AsyncGenerator[Services]:
    """The house at work on a prepared database: watchers and, if wanted, chores running."""
    watching = asyncio.create_task(house.services.watch.run())
    try:
        if reconcile:
            async with _reconciling(house):
                yield house.services
        else:
            yield house.services
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for provider in house.providers.values():
            await provider.close()
        await house.database.dispose()


@asynccontextmanager
async def _reconciling(house: House) -> AsyncGenerator[None]:
    with only_worker(house.database, house.settings.data_dir) as is_only:
        if is_only:
            # Whoever held a lease here is dead: nobody has to wait for the lease's end.
            async with house.database.write() as connection:
                await leases.release_all(connection, JobRow)
                await leases.release_all(connection, EvaluationRow)
                await leases.release_all(connection, ReportRow)
                await leases.release_all(connection, HostingRow)
        reconciler = Reconciler(_workshop(house))
        running = asyncio.create_task(reconciler.run())
        try:
            yield
        finally:
            reconciler.stop()
            _, pending = await asyncio.wait({running}, timeout=DRAIN_SECONDS)
            for task in pending:
                task.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _workshop(house: House) -> Workshop:
    return Workshop(
        database=house.database,
        blobs=house.blobs,
        providers=house.providers,
        signals=house.signals,
        owner=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}",
    )


def _remote_files(settings: Settings) -> RemoteFiles:
    return RemoteFiles(
        Downloads(settings.allow_private_addresses), Buckets(settings.dataset_sources)
    )


def _services(
    settings: Settings,
    database: Database,
    blobs: Blobs,
    providers: Mapping[str, Provider],
    signals: Signals,
) -> Services:
    datasets = Datasets(
        database,
        blobs,
        remote_files=_remote_files(settings),
        staging=settings.data_dir / "uploads",
        max_bytes=settings.max_upload_bytes,
        clock=wall_clock,
    )
    compilations = Compilations(database, blobs, providers)
    quotes = Quotes(database, providers, compilations, clock=wall_clock)
    jobs = Jobs(database, providers, compilations, quotes, signals, clock=wall_clock)
    models = Models(database, providers)
    files = Files(database, blobs, datasets, clock=wall_clock)
    receiving = Receiving(settings.data_dir / "uploads", max_bytes=settings.max_upload_bytes)
    return Services(
        datasets=datasets,
        conversions=Conversions(blobs),
        splits=Splits(database, blobs, datasets),
        leakages=Leakages(database, blobs),
        curation=Curation(database, blobs, datasets),
        diffs=Diffs(database, blobs),
        reports=Reports(database),
        compilations=compilations,
        quotes=quotes,
        jobs=jobs,
        models=models,
        aliases=Aliases(database, models, clock=wall_clock),
        notices=Notices(database),
        ledger=Ledger(database),
        lifecycle=Lifecycle(database, providers, models, clock=wall_clock),
        hostings=Hostings(database, providers, models, signals, clock=wall_clock),
        files=files,
        uploads=Uploads(database, blobs, files, receiving, clock=wall_clock),
        receiving=receiving,
        names=Names(models, providers),
        outcomes=Outcomes(database),
        evaluations=Evaluations(database, models, signals, clock=wall_clock),
        evaluation_examples=EvaluationExamples(database, blobs, datasets),
        feedbacks=Feedbacks(database, models, datasets, clock=wall_clock),
        watch=Watch(database, jobs, signals),
        orphans=Orphans(database),
        imports=Imports(database, providers, datasets, signals, clock=wall_clock),
        webhooks=Webhooks(database, providers, signals),
        health=Health(database),
        providers=providers,
    )
