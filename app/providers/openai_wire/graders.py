"""Graders of reinforcement fine-tuning: the shapes that are taken, and what they may refer to."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from app.providers.openai_wire.lines import REFERENCE_ANSWER, REFERENCE_TOOL_CALLS

ITEM_FIELDS = frozenset({"messages", "tools", REFERENCE_ANSWER, REFERENCE_TOOL_CALLS})
"""What a grader's templates find under `item`."""

_ITEM = re.compile(r"{{\s*item\.(\w+)")


class _StringCheck(Struct, tag_field="type", tag="string_check", forbid_unknown_fields=True):
    name: str
    input: str
    reference: str
    operation: Literal["eq", "ne", "like", "ilike"]


class _TextSimilarity(Struct, tag_field="type", tag="text_similarity", forbid_unknown_fields=True):
    name: str
    input: str
    reference: str
    evaluation_metric: Literal[
        "cosine", "fuzzy_match", "bleu", "gleu", "meteor",
        "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l",
    ]  # fmt: skip


class _Python(Struct, tag_field="type", tag="python", forbid_unknown_fields=True):
    name: str
    source: str
    image_tag: str = ""


class _Turn(Struct, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | dict[str, Any] | list[Any]
    type: Literal["message"] = "message"


class _ScoreModel(Struct, tag_field="type", tag="score_model", forbid_unknown_fields=True):
    name: str
    model: str
    input: list[_Turn]
    range: list[float] = []
    sampling_params: dict[str, Any] = {}


class _LabelModel(Struct, tag_field="type", tag="label_model", forbid_unknown_fields=True):
    name: str
    model: str
    input: list[_Turn]
    labels: list[str]
    passing_labels: list[str]


class _Multi(Struct, tag_field="type", tag="multi", forbid_unknown_fields=True):
    name: str
    graders: dict[str, Any]
    calculate_output: str


_Single = _StringCheck | _TextSimilarity | _Python | _ScoreModel


def wrong(grader: Any) -> Iterator[tuple[str, str]]:
    """(code, message) of all that is wrong with a grader."""
    if grader is None:
        yield "grader_missing", "The method rft needs a grader, which scores the model's answers."
        return
    try:
        _check(grader)
    except msgspec.ValidationError as error:
        yield "grader_invalid", f"The grader is not one that is taken: {error}."
        return
    for field in sorted(set(_ITEM.findall(msgspec.json.encode(grader).decode())) - ITEM_FIELDS):
        known = ", ".join(sorted(ITEM_FIELDS))
        yield "grader_item_unknown", f"The examples have no item.{field}; there are: {known}."


def _check(grader: Any) -> None:
    found = msgspec.convert(grader, _Single | _Multi)
    if isinstance(found, _Multi):
        for inner in _inside(found.graders):
            msgspec.convert(inner, _Single | _LabelModel)


def _inside(graders: Mapping[str, Any]) -> Iterator[Any]:
    """The specification has a single grader there, the guides one for each name."""
    if isinstance(graders.get("type"), str):
        yield graders
    else:
        yield from graders.values()
