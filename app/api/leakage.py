"""Leakage over HTTP: how much of a held-out dataset is in a dataset to train with."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.datasets import DatasetOut
from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Out, answer

router = APIRouter(prefix="/datasets", tags=["datasets"])

HeldOut = Annotated[
    str,
    Query(
        description="The version to measure with: an id, `name` or `name@3`.",
        examples=["labels-test"],
    ),
]


class LeakedPairOut(Out):
    """A held-out line, and the first line of the dataset that gives it away."""

    held_out: int
    line: int


class LeakOut(Out):
    """One kind of leak."""

    count: int = Field(description="Held-out examples; each counts once, by its strongest tie.")
    share: float
    pairs: list[LeakedPairOut] = Field(description="The first hundred.")


class LeakageFiguresOut(Out):
    """What was found."""

    examples: int = Field(description="Held-out examples.")
    compared: int = Field(description="Distinct held-out prompts compared for near duplicates.")
    affected: int
    share: float = Field(description="Of the held-out examples.")
    same_example: LeakOut
    same_prompt: LeakOut = Field(description="The same but for case and spacing.")
    near_prompt: LeakOut
    next: str = Field(description="The next best thing to do.")


class LeakageOut(Out):
    """Two versions, and what leaks from the first into the second."""

    dataset: DatasetOut
    held_out: DatasetOut
    leakage: LeakageFiguresOut


@router.get(
    "/{ref}/leakage",
    operation_id="get_dataset_leakage",
    summary="Look for held-out examples in a dataset",
    response_model=LeakageOut,
    responses=responses(404, 422),
)
async def get_dataset_leakage(use: Use, ref: str, held_out: HeldOut) -> Response:
    """Whether the examples to measure with are among those to train with.

    Computed while you wait, in seconds for a hundred thousand examples.
    """
    return answer(LeakageOut.model_validate(await use.leakages.find(ref, held_out)))
