"""Models: the tuned ones and every base model of a configured provider."""

from datetime import date
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.openai.refusals import responses
from app.api.shapes import Out, answer
from app.domain.errors import Forbidden
from app.domain.lifecycle import LivingModel
from app.domain.naming import ORGANISATION, openai_name
from app.domain.offers import Offer

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
    tuned = await use.lifecycle.list_page(
        provider=None, retiring_within=None, before=None, limit=MOST_MODELS
    )
    shown = [_tuned(model) for model in tuned]
    for name, provider in use.providers.items():
        if not provider.missing:
            shown += [_base(name, base) for base in (await use.offers.of(name)).offers]
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
    meant = await use.names.resolve(model)
    if meant.model_id is not None:
        return answer(_tuned(await use.lifecycle.get(meant.model_id)))
    offer = await use.offers.get(meant.provider, meant.base_model)
    return answer(_base(meant.provider, offer))


@router.delete(
    "/{model:path}",
    operation_id="delete_model",
    summary="Delete a tuned model",
    response_model=DeletedModelOut,
    responses=responses(400, 404),
)
async def delete_model(use: Use, model: str) -> Response:
    """Remove the model here and at its provider; a base model cannot be removed."""
    meant = await use.names.resolve(model)
    if meant.model_id is None:
        raise Forbidden(f"{model} is a base model; only tuned models can be deleted.")
    await use.models.remove(meant.model_id)
    return answer(DeletedModelOut(id=model))


def _tuned(model: LivingModel) -> ModelOut:
    return ModelOut(
        id=openai_name(model),
        created=model.created_at // 1000,
        owned_by=ORGANISATION,
        shutdown_date=model.serving_ends_at,
    )


def _base(provider: str, base: Offer) -> ModelOut:
    return ModelOut(
        id=f"{provider}/{base.name}",
        created=0,
        owned_by=provider,
        shutdown_date=base.serving_ends_at,
    )
