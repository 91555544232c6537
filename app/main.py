"""The ASGI application: doors in front of a house."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app import bootstrap
from app.api import (
    aliases,
    attendance,
    audit,
    cards,
    comparisons,
    compilations,
    conversions,
    curation,
    datasets,
    deployments,
    description,
    diffs,
    evaluation_examples,
    evaluations,
    exports,
    feedback,
    health,
    imports,
    job_series,
    jobs,
    keys,
    leakage,
    ledger,
    metrics,
    migrations,
    models,
    notices,
    problems,
    projects,
    providers,
    quotes,
    reference,
    reports,
    splits,
    templates,
    webhook_deliveries,
    webhook_endpoints,
    webhook_messages,
    webhooks,
)
from app.api.gate import Gate
from app.api.measuring import SILENT
from app.api.openai import door as openai
from app.bootstrap import House

VERSION = version("luthier")

DESCRIPTION = (
    "One service in front of every place where a language model can be fine-tuned. "
    "Errors are problem answers (RFC 9457) with a stable `code`."
)


def create_app(house: House, *, reconcile: bool = True) -> FastAPI:
    """The application over a prepared house; its lifespan opens and closes the house."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with bootstrap.opened(house, reconcile=reconcile) as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="Luthier",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=SILENT,
    )
    # Routes are tried in order: questions come oftenest, and their door is told by its prefix; then
    # nothing is asked for as often as a job.
    app.router.routes.append(openai.entrance(app.state, version=VERSION))
    for door in (
        jobs,
        job_series,
        feedback,
        datasets,
        conversions,
        splits,
        leakage,
        curation,
        diffs,
        compilations,
        reports,
        templates,
        cards,
        exports,
        migrations,
        models,
        deployments,
        aliases,
        notices,
        ledger,
        evaluations,
        evaluation_examples,
        comparisons,
        providers,
        imports,
        webhooks,
        webhook_endpoints,
        webhook_deliveries,
        quotes,
        keys,
        projects,
        audit,
        reference,
        health,
        metrics,
    ):
        app.router.routes.extend(door.router.routes)
    attendance.attend(app.routes)
    problems.install(app)
    services = house.services
    app.add_middleware(
        Gate,
        access=services.access,
        rates=services.rates,
        seconds=house.settings.request_seconds,
    )
    app.openapi = lambda: _description(app)  # pyright: ignore[reportAttributeAccessIssue]
    return app


def _description(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description with our problem answer in place of its own validation error."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            webhooks=webhook_messages.router.routes,
        )
        description.describe(schema)
        app.openapi_schema = schema
    return app.openapi_schema
