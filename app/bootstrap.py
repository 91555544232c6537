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

from app.domain.access import Role
from app.domain.provider import Provider
from app.network.buckets import Buckets
from app.network.courier import Courier
from app.network.downloads import Downloads
from app.network.issuers import Issuer
from app.network.remote_files import RemoteFiles
from app.providers import catalog
from app.reconciler.deliver import Deliveries
from app.reconciler.loop import Reconciler
from app.reconciler.shift import shift
from app.reconciler.work import Workshop
from app.services.access import Access, Claims
from app.services.aliases import Aliases
from app.services.audit import Audit
from app.services.bundle import Services
from app.services.cards import Cards
from app.services.comparisons import Comparisons
from app.services.compilations import Compilations
from app.services.conversions import Conversions
from app.services.curation import Curation
from app.services.datasets import Datasets
from app.services.diffs import Diffs
from app.services.evaluation_examples import EvaluationExamples
from app.services.evaluations import Evaluations
from app.services.exports import Exports
from app.services.feedback import Feedbacks
from app.services.files import Files
from app.services.gauges import Gauges
from app.services.health import Health
from app.services.hosting import Hostings
from app.services.imports import Imports
from app.services.jobs import Jobs
from app.services.keyring import Keyring
from app.services.keys import Keys
from app.services.leakage import Leakages
from app.services.ledger import Ledger
from app.services.lifecycle import Lifecycle
from app.services.migrations import Migrations
from app.services.models import Models
from app.services.names import Names
from app.services.notices import Notices
from app.services.offers import Offers
from app.services.orphans import Orphans
from app.services.outcomes import Outcomes
from app.services.preparing import Preparation
from app.services.projects import Projects
from app.services.provenance import Provenance
from app.services.quotes import Quotes
from app.services.rates import Rates
from app.services.receiving import Receiving
from app.services.repeating import Repeating
from app.services.reports import Reports
from app.services.splits import Splits
from app.services.uploads import Uploads
from app.services.watching import Watch
from app.services.webhook_endpoints import WebhookEndpoints
from app.services.webhooks import Webhooks
from app.settings import Settings, SettingsInvalid
from app.storage import compatibility, migrating
from app.storage.blobs import Blobs
from app.storage.claims import only_worker
from app.storage.compatibility import Standing
from app.storage.database import Database, embedded_url, wall_clock
from app.storage.sealing import Seal, key_in, no_key
from app.storage.signals import Signals


@dataclass(frozen=True)
class House:
    """Everything that a process needs, put together and not yet running."""

    settings: Settings
    database: Database
    blobs: Blobs
    providers: Mapping[str, Provider]
    signals: Signals
    courier: Courier
    seal: Seal
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
    courier, seal = Courier(settings.allow_private_addresses), _seal(settings, database)
    return House(
        settings,
        database,
        blobs,
        providers,
        signals,
        courier,
        seal,
        _services(settings, database, blobs, providers, signals, courier, seal),
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
        if await compatibility.standing(house.database) is Standing.BEHIND:
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
        shop = _workshop(house)
        reconciler = Reconciler(
            shop,
            idle_seconds=house.settings.poll_seconds,
            deliveries=Deliveries(shop, house.courier, house.seal),
        )
        until = house.services.health.until_draining
        async with shift(shop, reconciler, is_only=is_only, until=until):
            try:
                yield
            finally:
                house.services.health.drain()


def _workshop(house: House) -> Workshop:
    return Workshop(
        database=house.database,
        blobs=house.blobs,
        providers=house.providers,
        signals=house.signals,
        owner=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}",
    )


def _seal(settings: Settings, database: Database) -> Seal:
    given = settings.secret_key
    if given is not None:
        return Seal(given.get_secret_value)
    if database.is_embedded:
        return Seal(lambda: key_in(settings.data_dir / "secret.key"))
    return Seal(no_key)


def _remote_files(settings: Settings) -> RemoteFiles:
    return RemoteFiles(
        Downloads(settings.allow_private_addresses), Buckets(settings.dataset_sources)
    )


def _access(settings: Settings, database: Database, keyring: Keyring) -> Access:
    oidc = settings.oidc
    roles = {name: Role(role) for name, role in oidc.roles.items()} if oidc else {}
    return Access(
        database,
        keyring,
        admin_key=settings.admin_key.get_secret_value() if settings.admin_key else None,
        issuer=Issuer(oidc.issuer, audience=oidc.audience) if oidc else None,
        claims=Claims(oidc.role_claim, roles, oidc.project_claim) if oidc else Claims("", {}, None),
        rate_limit_per_minute=settings.rate_limit_per_minute,
        clock=wall_clock,
    )


def _services(
    settings: Settings,
    database: Database,
    blobs: Blobs,
    providers: Mapping[str, Provider],
    signals: Signals,
    courier: Courier,
    seal: Seal,
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
    preparation = Preparation(
        database, providers, compilations, quotes, Provenance(blobs), clock=wall_clock
    )
    jobs = Jobs(database, providers, preparation, signals, clock=wall_clock)
    models = Models(database, providers)
    cards = Cards(database, providers, models)
    files = Files(database, blobs, datasets, clock=wall_clock)
    keyring = Keyring(database)
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
        cards=cards,
        exports=Exports(providers, models, cards),
        repeating=Repeating(database, providers, jobs),
        migrations=Migrations(
            database, providers, models, quotes, preparation, signals, clock=wall_clock
        ),
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
        comparisons=Comparisons(database, providers, preparation, signals, clock=wall_clock),
        evaluation_examples=EvaluationExamples(database, blobs, datasets),
        feedbacks=Feedbacks(database, models, datasets, clock=wall_clock),
        watch=Watch(database, jobs, signals),
        offers=Offers(database, providers),
        orphans=Orphans(database),
        imports=Imports(database, providers, datasets, signals, clock=wall_clock),
        webhooks=Webhooks(database, providers, signals),
        webhook_endpoints=WebhookEndpoints(database, courier, seal, signals, clock=wall_clock),
        health=Health(database),
        gauges=Gauges(database),
        access=_access(settings, database, keyring),
        rates=Rates(),
        keys=Keys(database, keyring, clock=wall_clock),
        projects=Projects(database, clock=wall_clock),
        audit=Audit(database, clock=wall_clock),
        providers=providers,
    )
