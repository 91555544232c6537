"""Providers over HTTP: what is configured here, and what it can tune."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Moment, Out, Usd, answer
from app.domain.catalogue import Creation, Price, PriceUnit
from app.domain.errors import ProviderNotFound
from app.domain.offers import ListState
from app.domain.provider import Provider
from app.services.bundle import Services
from app.services.offers import Shelf

router = APIRouter(prefix="/providers", tags=["providers"])


class CreationOut(Out):
    """Whether new jobs can be created there."""

    open: bool
    closes_at: date | None
    note: str | None
    source: str | None


class ProviderOut(Out):
    """One provider."""

    name: str
    kind: str
    title: str
    configured: bool
    missing: list[str] = Field(description="What must be set before anything can be sent.")
    creation: CreationOut
    methods: list[str]
    operations: list[str]
    options: dict[str, Any] = Field(description="JSON schema of its options.")


class ProvidersOut(Out):
    """All providers."""

    data: list[ProviderOut]


class PriceOut(Out):
    """What one unit costs; tokens are counted by the million."""

    unit: PriceUnit
    usd: Usd
    method: str | None = Field(description="Only for this method; null for all.")
    tier: str | None
    source: str
    as_of: date


class BoundOut(Out):
    """What one hyperparameter may be."""

    low: float | None
    high: float | None
    low_excluded: bool = Field(validation_alias="is_above")
    whole: bool = Field(validation_alias="is_whole")
    choices: list[bool | str | int | float] | None
    auto: bool = Field(validation_alias="has_auto")


class LimitsOut(Out):
    """How much is taken in one training; null where no limit is named."""

    minimum_examples: int
    maximum_examples: int | None
    maximum_validation_examples: int | None
    maximum_file_bytes: int | None
    maximum_example_tokens: int | None


class BaseModelOut(Out):
    """A model that can be tuned."""

    name: str
    methods: list[str]
    context_length: int | None
    parameters: int | None
    limits: LimitsOut
    hyperparameters: dict[str, dict[str, BoundOut]] = Field(description="By method and name.")
    prices: list[PriceOut]
    training_ends_at: date | None = Field(description="From this day on it is trained no more.")
    serving_ends_at: date | None = Field(
        description="From this day on neither it nor what was tuned from it answers."
    )
    note: str | None
    source: str | None
    state: ListState = Field(
        description="What the provider's own list of models says: it has it (`listed`), it has it "
        "and says that it cannot be tuned (`not_tunable`), it has it no more (`unlisted`), or no "
        "list has been seen (`unknown`)."
    )
    seen_at: Moment | None = Field(description="When that list was seen.")


class BaseModelsOut(Out):
    """The base models that are known; a provider may accept more."""

    data: list[BaseModelOut]
    seen_at: Moment | None = Field(
        description="When the provider's own list of models was seen; null where it never was."
    )
    problem: str | None = Field(description="Why that list could not be seen since.")


class OrphanOut(Out):
    """Work at the provider that carries one of our keys and that no job here knows."""

    remote: str = Field(validation_alias="remote_id", description="The provider's id of it.")
    key: str
    status: str | None
    first_seen_at: Moment
    last_seen_at: Moment


class OrphansOut(Out):
    """All of one provider, the latest found first."""

    data: list[OrphanOut]


@router.get(
    "",
    operation_id="list_providers",
    summary="List providers",
    response_model=ProvidersOut,
    responses=responses(),
)
async def list_providers(use: Use) -> Response:
    """Every provider; one that is not configured can compile and quote."""
    return answer(ProvidersOut(data=[_shown(*item) for item in sorted(use.providers.items())]))


@router.get(
    "/{name}",
    operation_id="get_provider",
    summary="Get a provider",
    response_model=ProviderOut,
    responses=responses(404),
)
async def get_provider(use: Use, name: str) -> Response:
    """One provider."""
    return answer(_shown(name, _configured(use, name)))


@router.get(
    "/{name}/base-models",
    operation_id="list_base_models",
    summary="List a provider's base models",
    response_model=BaseModelsOut,
    responses=responses(404),
)
async def list_base_models(use: Use, name: str) -> Response:
    """The catalogue's and the provider's own list laid over it; nobody is asked."""
    return answer(_shelf(await use.offers.of(name)))


@router.post(
    "/{name}/refresh",
    operation_id="refresh_base_models",
    summary="Ask a provider for its list of models",
    response_model=BaseModelsOut,
    responses=responses(404, 409),
)
async def refresh_base_models(use: Use, name: str) -> Response:
    """Ask now, and keep what it says: what it lists no more is refused from then on.

    Once a day that is done anyway. Providers that have a list say `refresh` in `operations`.
    """
    return answer(_shelf(await use.offers.refresh(name)))


@router.get(
    "/{name}/orphans",
    operation_id="list_orphans",
    summary="List paid work that no job knows",
    response_model=OrphansOut,
    responses=responses(404),
)
async def list_orphans(use: Use, name: str) -> Response:
    """What carries one of our keys at the provider, as the last sweeps found it."""
    _configured(use, name)
    return answer(OrphansOut.model_validate({"data": await use.orphans.of(name)}))


def _configured(use: Services, name: str) -> Provider:
    provider = use.providers.get(name)
    if provider is None:
        raise ProviderNotFound(f"No provider {name!r} is configured here.")
    return provider


def _shelf(shelf: Shelf) -> BaseModelsOut:
    listed = shelf.listed
    return BaseModelsOut.model_validate(
        {"data": shelf.offers, "seen_at": listed.seen_at, "problem": listed.problem}
    )


def _shown(name: str, provider: Provider) -> ProviderOut:
    spec = provider.spec
    return ProviderOut(
        name=name,
        kind=spec.kind,
        title=spec.title,
        configured=not provider.missing,
        missing=list(provider.missing),
        creation=_creation(provider.creation),
        methods=sorted(spec.methods),
        operations=sorted(spec.operations),
        options=spec.options.model_json_schema(),
    )


def hosting_price(prices: Sequence[Price]) -> Decimal | None:
    """What an hour of a deployed tuned model costs in the usual tier."""
    hourly = (one.usd for one in prices if one.unit is PriceUnit.HOSTING_HOURS and not one.tier)
    return next(hourly, None)


def _creation(creation: Creation) -> CreationOut:
    return CreationOut(
        open=creation.is_open(datetime.now(UTC).date()),
        closes_at=creation.closes_at,
        note=creation.note,
        source=creation.source,
    )
