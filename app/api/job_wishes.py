"""What a request for a job may say: a recipe, or the card of a model that is to be made again."""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
)
from pydantic import Tag as Variant

from app.api.shapes import AliasName, In, Names, Usd, variant
from app.domain.errors import Invalid
from app.domain.jobs import Method
from app.services.preparing import MAX_SEED, WantedEvaluation, WantedJob
from app.services.repeating import Recorded, Repeat

Tag = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^:\s\"\\]+$")]
TagValue = Annotated[str, Field(max_length=256)]


def _writable(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse half a character, which JSON can spell and UTF-8 cannot."""
    try:
        msgspec.json.encode(values)
    except UnicodeEncodeError as error:
        raise ValueError("a text holds half a character (a lone surrogate)") from error
    return values


Hyperparameters = Annotated[dict[str, JsonValue], AfterValidator(_writable)]


class MethodIn(In):
    """How to train."""

    type: str = Field(default="sft", examples=["sft"], description="A method of the provider.")
    hyperparameters: Hyperparameters = Field(
        default_factory=dict[str, JsonValue],
        description="By name; `auto` or left out means: whatever suits model, data and machine.",
        examples=[{"epochs": 3, "batch_size": "auto"}],
    )


class JobEvaluationIn(In):
    """An evaluation of base against tuned once the model is there."""

    dataset: str = Field(
        description="Held-out examples: id, `name` or `name@3`.", examples=["support-test"]
    )
    metrics: Names = ["exact_match"]


class PromotionIn(In):
    """Which alias is to mean the model once its evaluation has ended well and passes the gate."""

    alias: AliasName = Field(examples=["support@prod"])


_EXAMPLE: dict[str, Any] = {
    "provider": "local",
    "base_model": "luthier-tiny",
    "dataset": "support-labels@2",
    "validation_split": 0.1,
    "method": {"type": "sft", "hyperparameters": {"epochs": 3}},
    "tags": {"team": "care"},
    "budget_usd": "20.00",
    "evaluate": {"dataset": "support-test", "metrics": ["exact_match"]},
}


class JobIn(In):
    """What to fine-tune, with what, and how."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    provider: str = Field(examples=["local"])
    base_model: str = Field(
        min_length=1,
        max_length=500,
        description="A base model of the provider, or a tuned model's id to continue from.",
        examples=["luthier-tiny"],
    )
    dataset: str = Field(description="Id, `name` or `name@3`.", examples=["support-labels@2"])
    validation_dataset: str | None = None
    validation_split: float | None = Field(
        default=None, gt=0, lt=0.9, description="This share of the dataset is set aside."
    )
    method: MethodIn = Field(default_factory=MethodIn)
    name: str | None = Field(default=None, min_length=1, max_length=100)
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    tags: dict[Tag, TagValue] = Field(default_factory=dict[str, str], max_length=32)
    budget_usd: Usd | None = Field(
        default=None, gt=0, description="The job is refused where it is quoted to cost more."
    )
    evaluate: JobEvaluationIn | None = None
    promote: PromotionIn | None = Field(
        default=None, description="Needs `evaluate`, which then decides."
    )


class _OfCard(BaseModel):
    """A part of a card: what is not needed is passed over, for a card says more than that."""

    model_config = ConfigDict(extra="ignore")


class CardProviderIn(_OfCard):
    """Where it was trained."""

    name: str
    kind: str | None = None


class CardBaseIn(_OfCard):
    """What it was tuned from."""

    name: str = Field(min_length=1, max_length=500)
    parent_model: str | None = None


class CardSentIn(_OfCard):
    """Which examples were sent."""

    dataset_sha256: str = Field(pattern="^[0-9a-f]{64}$")


class CardDataIn(_OfCard):
    """One side of the examples."""

    sent: CardSentIn | None = None


class CardMethodIn(_OfCard):
    """How it was trained."""

    type: str
    requested: Hyperparameters
    effective: Hyperparameters


class CardIn(_OfCard):
    """A card as `GET /models/{ref}/card` gives it, whole or as far as it is needed."""

    card_version: Literal[1]
    provider: CardProviderIn
    base_model: CardBaseIn
    method: CardMethodIn
    training: CardDataIn
    validation: CardDataIn | None = None
    validation_split: float | None = Field(default=None, gt=0, lt=0.9)
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)


class JobFromCardIn(In):
    """The card of a model that is to be made again, and what is to be another way."""

    card: CardIn
    hyperparameters: Hyperparameters = Field(
        default_factory=dict[str, JsonValue], description="In place of the card's, by name."
    )
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED, description="Not the card's.")
    name: str | None = Field(default=None, min_length=1, max_length=100)
    tags: dict[Tag, TagValue] = Field(default_factory=dict[str, str], max_length=32)
    budget_usd: Usd | None = Field(default=None, gt=0)
    evaluate: JobEvaluationIn | None = None
    promote: PromotionIn | None = None


_RECIPE, _CARD = variant("recipe"), variant("card")


def _sort_of(body: Any) -> str:
    if isinstance(body, dict):
        return _CARD if "card" in body else _RECIPE
    return _CARD if isinstance(body, JobFromCardIn) else _RECIPE


JobWish = Annotated[
    Annotated[JobIn, Variant(_RECIPE)] | Annotated[JobFromCardIn, Variant(_CARD)],
    Discriminator(_sort_of),
]


def wanted(body: JobIn) -> WantedJob:
    """What is asked for; raises `Invalid` for what does not go together."""
    if body.validation_dataset is not None and body.validation_split is not None:
        raise Invalid("Give validation_dataset or validation_split, not both.")
    _check_promotion(body)
    return WantedJob(
        provider=body.provider,
        base_model=body.base_model,
        dataset=body.dataset,
        validation_dataset=body.validation_dataset,
        validation_split=body.validation_split,
        method=Method(body.method.type, body.method.hyperparameters),
        name=body.name,
        seed=body.seed,
        tags=body.tags,
        budget_usd=body.budget_usd,
        evaluate=_evaluation(body.evaluate),
        promote=body.promote.alias if body.promote else None,
    )


def repeated(body: JobFromCardIn) -> Repeat:
    """What is asked for by a card; raises `Invalid` for what does not go together."""
    _check_promotion(body)
    card = body.card
    validation = card.validation.sent if card.validation else None
    recorded = Recorded(
        provider=card.provider.name,
        provider_kind=card.provider.kind,
        base_model=card.base_model.name,
        parent_model=card.base_model.parent_model,
        training_sha256=card.training.sent.dataset_sha256 if card.training.sent else None,
        validation_sha256=validation.dataset_sha256 if validation else None,
        validation_split=card.validation_split,
        method=card.method.type,
        requested=card.method.requested,
        effective=card.method.effective,
        seed=card.seed,
    )
    return Repeat(
        recorded=recorded,
        hyperparameters=body.hyperparameters,
        seed=body.seed,
        name=body.name,
        tags=body.tags,
        budget_usd=body.budget_usd,
        evaluate=_evaluation(body.evaluate),
        promote=body.promote.alias if body.promote else None,
    )


def _check_promotion(body: JobIn | JobFromCardIn) -> None:
    if body.promote is not None and body.evaluate is None:
        raise Invalid("An alias is moved by an evaluation: give evaluate with promote.")


def _evaluation(asked: JobEvaluationIn | None) -> WantedEvaluation | None:
    return None if asked is None else WantedEvaluation(asked.dataset, asked.metrics)
