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
    compilations,
    conversions,
    curation,
    datasets,
    deployments,
    description,
    diffs,
    evaluation_examples,
    evaluations,
    feedback,
    health,
    imports,
    job_series,
    jobs,
    leakage,
    ledger,
    models,
    notices,
    problems,
    providers,
    quotes,
    reference,
    reports,
    splits,
    templates,
    webhooks,
)
from app.api.gate import Gate
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
            services.health.drain()
            await services.watch.close()

    app = FastAPI(
        title="Luthier",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    # Routes are tried in order, and nothing is asked for as often as a job.
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
        models,
        deployments,
        aliases,
        notices,
        ledger,
        evaluations,
        evaluation_examples,
        providers,
        imports,
        webhooks,
        quotes,
        reference,
        health,
    ):
        app.router.routes.extend(door.router.routes)
    app.mount(openai.PREFIX, openai.create_door(app.state, version=VERSION))
    problems.install(app)
    key = house.settings.admin_key
    app.add_middleware(Gate, admin_key=key.get_secret_value() if key else None)
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
        )
        description.describe(schema)
        app.openapi_schema = schema
    return app.openapi_schema
