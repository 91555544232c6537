"""Models: the tuned ones and every base model of a configured provider."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.openai.refusals import responses
from app.api.shapes import Out, answer
from app.domain.errors import Forbidden
from app.domain.models import TunedModel
from app.domain.naming import ORGANISATION, openai_name
from app.domain.provider import Provider
from app.services.bundle import Services

router = APIRouter(prefix="/models", tags=["openai"])

MOST_MODELS = 10_000
"""OpenAI's list of models has no pages."""


class ModelOut(Out):
    """A model that can be asked; `created` is 0 for a base model, whose age nobody tells here."""

    id: str = Field(examples=["local/luthier-tiny"])
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    shutdown_date: date | None = Field(description="From then on it answers no more.")


class ModelsOut(Out):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


class DeletedModelOut(Out):
    """That a model is gone."""

    id: str
    object: Literal["model"] = "model"
    deleted: bool = True


@router.get(
    "",
    operation_id="list_models",
    summary="List models",
    response_model=ModelsOut,
    responses=responses(),
)
async def list_models(use: Use) -> Response:
    """Tuned models, the newest first, then what the configured providers list."""
    tuned = await use.models.list_page(provider=None, before=None, limit=MOST_MODELS)
    shown = [_tuned(model, use) for model in tuned]
    shown += [one for name, each in use.providers.items() for one in _bases(name, each)]
    return answer(ModelsOut(data=shown))


@router.get(
    "/{model:path}",
    operation_id="get_model",
    summary="Get a model",
    response_model=ModelOut,
    responses=responses(404),
)
async def get_model(use: Use, model: str) -> Response:
    """A tuned model by any of its names, or a base model."""
    meant = await use.models.resolve(await use.names.reference(model))
    if meant.model_id is not None:
        return answer(_tuned(await use.models.get(meant.model_id), use))
    provider = use.providers[meant.provider]
    end = provider.base_model(meant.base_model).serving_ends_at
    return answer(_base(meant.provider, meant.base_model, end))


@router.delete(
    "/{model:path}",
    operation_id="delete_model",
    summary="Delete a tuned model",
    response_model=DeletedModelOut,
    responses=responses(400, 404),
)
async def delete_model(use: Use, model: str) -> Response:
    """Remove the model here and at its provider; a base model cannot be removed."""
    meant = await use.models.resolve(await use.names.reference(model))
    if meant.model_id is None:
        raise Forbidden(f"{model} is a base model; only tuned models can be deleted.")
    await use.models.remove(meant.model_id)
    return answer(DeletedModelOut(id=model))


def _tuned(model: TunedModel, use: Services) -> ModelOut:
    return ModelOut(
        id=openai_name(model),
        created=model.created_at // 1000,
        owned_by=ORGANISATION,
        shutdown_date=_end_of(model, use.providers.get(model.provider)),
    )


def _end_of(model: TunedModel, provider: Provider | None) -> date | None:
    """What was tuned ends with its base model."""
    if provider is None:
        return None
    listed = {base.name: base for base in provider.base_models()}
    base = listed.get(model.base_model)
    return base.serving_ends_at if base else None


def _bases(name: str, provider: Provider) -> Iterator[ModelOut]:
    if not provider.missing:
        for base in provider.base_models():
            yield _base(name, base.name, base.serving_ends_at)


def _base(provider: str, name: str, ends_at: date | None) -> ModelOut:
    return ModelOut(id=f"{provider}/{name}", created=0, owned_by=provider, shutdown_date=ends_at)
