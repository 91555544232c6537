"""Providers over HTTP: what is configured here, and what it can tune."""

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Out, answer
from app.domain.errors import ProviderNotFound
from app.domain.provider import Provider
from app.services.bundle import Services

router = APIRouter(prefix="/providers", tags=["providers"])


class ProviderOut(Out):
    """One configured provider."""

    name: str
    kind: str
    title: str
    methods: list[str]
    operations: list[str]
    options: dict[str, Any] = Field(description="JSON schema of its options.")


class ProvidersOut(Out):
    """All configured providers."""

    data: list[ProviderOut]


class BaseModelOut(Out):
    """A model that can be tuned."""

    name: str
    methods: list[str]
    context_length: int | None
    parameters: int | None
    minimum_examples: int


class BaseModelsOut(Out):
    """The base models that are known; a provider may accept more."""

    data: list[BaseModelOut]


@router.get(
    "",
    operation_id="list_providers",
    summary="List providers",
    response_model=ProvidersOut,
    responses=responses(),
)
async def list_providers(use: Use) -> Response:
    """Every configured provider."""
    return answer(ProvidersOut(data=[_shown(*item) for item in sorted(use.providers.items())]))


@router.get(
    "/{name}",
    operation_id="get_provider",
    summary="Get a provider",
    response_model=ProviderOut,
    responses=responses(404),
)
async def get_provider(use: Use, name: str) -> Response:
    """One configured provider."""
    return answer(_shown(name, _configured(use, name)))


@router.get(
    "/{name}/base-models",
    operation_id="list_base_models",
    summary="List a provider's base models",
    response_model=BaseModelsOut,
    responses=responses(404),
)
async def list_base_models(use: Use, name: str) -> Response:
    """The base models that are known here."""
    found = await asyncio.to_thread(_configured(use, name).base_models)
    return answer(BaseModelsOut.model_validate({"data": list(found)}))


def _configured(use: Services, name: str) -> Provider:
    provider = use.providers.get(name)
    if provider is None:
        raise ProviderNotFound(f"No provider {name!r} is configured here.")
    return provider


def _shown(name: str, provider: Provider) -> ProviderOut:
    spec = provider.spec
    return ProviderOut(
        name=name,
        kind=spec.kind,
        title=spec.title,
        methods=sorted(spec.methods),
        operations=sorted(spec.operations),
        options=spec.options.model_json_schema(),
    )
