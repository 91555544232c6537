"""Splits over HTTP: one dataset version becomes training, validation and test versions."""

from typing import Self

from fastapi import APIRouter, Response
from pydantic import Field, model_validator

from app.api.datasets import DatasetOut
from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import In, Out, answer
from app.domain.splits import Shares
from app.services.splits import WantedSplit

router = APIRouter(prefix="/datasets", tags=["datasets"])


class SplitIn(In):
    """How much to hold out, and by which seed."""

    validation: float = Field(default=0.1, ge=0, le=0.5, description="Share to steer training by.")
    test: float = Field(default=0.1, ge=0, le=0.5, description="Share to measure with at the end.")
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="The same seed, the same parts.")
    group_by: str | None = Field(
        default=None,
        max_length=200,
        description="JSON pointer into the canonical example; examples with the same value there "
        "stay on one side.",
        examples=["/messages/0/content"],
    )

    @model_validator(mode="after")
    def _leaves_something(self) -> Self:
        if not 0 < self.validation + self.test <= 0.9:
            raise ValueError("validation and test together must be more than 0 and at most 0.9")
        return self


class PartsOut(Out):
    """A dataset version for each part; null where its share is 0."""

    train: DatasetOut
    validation: DatasetOut | None = None
    test: DatasetOut | None = None


class SplitOut(Out):
    """The parts, and how examples that belong together were found."""

    dataset: DatasetOut
    seed: int
    group_by: str | None
    stratified: bool = Field(
        validation_alias="is_stratified", description="Whether each label was spread evenly."
    )
    groups: int = Field(description="Groups of examples that had to stay together.")
    compared: int = Field(description="Distinct prompts that were compared for near duplicates.")
    parts: PartsOut


@router.post(
    "/{ref}/split",
    operation_id="split_dataset",
    summary="Split a dataset",
    status_code=201,
    response_model=SplitOut,
    responses=responses(404, 422) | {200: {"model": SplitOut, "description": "It was there."}},
)
async def split_dataset(use: Use, ref: str, body: SplitIn, key: KeyHeader = None) -> Response:
    """Store versions of `<name>-train`, `<name>-validation` and `<name>-test`.

    Reproducible by seed. The same prompt and its near duplicates stay on one side, and labels are
    spread evenly where the completions look like labels.
    """
    wanted = WantedSplit(
        dataset=ref,
        shares=Shares(body.validation, body.test),
        seed=body.seed,
        group_by=body.group_by,
    )
    content = f"{ref}\n{body.model_dump_json()}".encode()
    promised = None if key is None else with_fingerprint("split_dataset", key, content)
    created = await use.splits.create(wanted, promised)
    return answer(
        SplitOut.model_validate(created.thing),
        status=200 if created.existed else 201,
        headers=replay_headers(created.is_replay),
    )
