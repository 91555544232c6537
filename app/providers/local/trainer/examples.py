"""The run's data files as datasets of token ids, with what was cut said aloud."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from datasets import Dataset

from app.providers.local.rendering import (
    Unrenderable,
    render_example,
    render_preference,
)
from app.providers.local.trainer.failures import DatasetUnfit

CHUNK = 1000
IGNORED_LABEL = -100
_TOKENS = pa.list_(pa.int32())


class Prepared(msgspec.Struct, frozen=True):
    """A dataset as the trainer takes it, and how many of its examples were changed for it."""

    dataset: Any
    truncated: int
    last_turn_only: int


class _Row(msgspec.Struct, frozen=True):
    columns: dict[str, list[int]]
    truncated: bool
    last_turn_only: bool = False


Renderer = Callable[[dict[str, Any]], _Row]


def count_lines(path: Path) -> int:
    """How many examples a file holds: one in each line that is not blank."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def prepare(
    path: Path,
    *,
    method: str,
    tokenizer: Any,
    max_length: int,
    between_chunks: Callable[[], None],
) -> Prepared:
    """Render each line of a file; DatasetUnfit names the first line that cannot be.

    Columns are input_ids and labels for sft, prompt_ids, chosen_ids and rejected_ids for dpo.
    """
    columns = ("prompt_ids", "chosen_ids", "rejected_ids")
    renderer = _preference_renderer(tokenizer, max_length)
    if method == "sft":
        columns, renderer = ("input_ids", "labels"), _chat_renderer(tokenizer, max_length)
    schema = pa.schema([(column, _TOKENS) for column in columns])
    batches: list[Any] = []
    truncated = last_turn_only = 0
    rows = _rows(path, renderer)
    while chunk := list(islice(rows, CHUNK)):
        between_chunks()
        truncated += sum(row.truncated for row in chunk)
        last_turn_only += sum(row.last_turn_only for row in chunk)
        batches.append(_batch(chunk, schema))
    return Prepared(Dataset(pa.Table.from_batches(batches, schema)), truncated, last_turn_only)


def first_prompt(dataset: Any) -> list[int]:
    """The tokens that stand before the first answer of the dataset."""
    row = dataset[0]
    if "prompt_ids" in row:
        return row["prompt_ids"]
    labels = row["labels"]
    answer = next(index for index, label in enumerate(labels) if label != IGNORED_LABEL)
    return row["input_ids"][: max(1, answer)]


def _rows(path: Path, renderer: Renderer) -> Iterator[_Row]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _row(line, number, renderer)


def _row(line: bytes, number: int, renderer: Renderer) -> _Row:
    try:
        return renderer(msgspec.json.decode(line))
    except (Unrenderable, msgspec.DecodeError, KeyError) as error:
        raise DatasetUnfit(f"The example in line {number} cannot be rendered: {error}") from error


def _chat_renderer(tokenizer: Any, max_length: int) -> Renderer:
    def render(example: dict[str, Any]) -> _Row:
        rendered = render_example(tokenizer, example["messages"], example.get("tools"), max_length)
        labels = [
            token if learned else IGNORED_LABEL
            for token, learned in zip(rendered.input_ids, rendered.loss_mask, strict=True)
        ]
        columns = {"input_ids": rendered.input_ids, "labels": labels}
        return _Row(columns, rendered.truncated, rendered.last_turn_only)

    return render


def _preference_renderer(tokenizer: Any, max_length: int) -> Renderer:
    def render(example: dict[str, Any]) -> _Row:
        rendered = render_preference(
            tokenizer,
            example["prompt"],
            chosen=example["chosen"],
            rejected=example["rejected"],
            tools=example.get("tools"),
            max_length=max_length,
        )
        columns = {
            "prompt_ids": rendered.prompt_ids,
            "chosen_ids": rendered.chosen_ids,
            "rejected_ids": rendered.rejected_ids,
        }
        return _Row(columns, rendered.truncated)

    return render


def _batch(rows: Iterable[_Row], schema: Any) -> Any:
    """An Arrow batch: four bytes a token instead of Python's objects."""
    return pa.RecordBatch.from_pylist([row.columns for row in rows], schema=schema)
