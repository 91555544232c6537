"""Training files as Google reads them, line by line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import aiplatform_v1 as v1
from google.protobuf.json_format import ParseError

from app.sandbox.vertex.messages import camel, parsed, plain

MOST_BYTES = 1_000_000_000


class FileInvalid(Exception):
    """Why a training file is not taken."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One example: the contents up to the answer, and the answer."""

    asked: str
    answer: Mapping[str, Any]


def supervised(content: bytes) -> list[Lesson]:
    """The lessons of a file for supervised tuning; raises `FileInvalid`."""
    return [_supervised(line, number) for number, line in _lines(content)]


def preferences(content: bytes) -> list[Lesson]:
    """Those of a file for preference tuning."""
    return [_preference(line, number) for number, line in _lines(content)]


def spelled(contents: Sequence[Mapping[str, Any]]) -> str:
    """A conversation as a text that is equal for equal conversations."""
    return json.dumps(contents, sort_keys=True, ensure_ascii=False)


def _lines(content: bytes) -> list[tuple[int, dict[str, Any]]]:
    if len(content) > MOST_BYTES:
        raise FileInvalid(f"The file has {len(content)} bytes; {MOST_BYTES} are the most.")
    lines = content.splitlines()
    if not lines:
        raise FileInvalid("The file has no example.")
    try:
        return [(number, json.loads(line)) for number, line in enumerate(lines, 1)]
    except ValueError as error:
        raise FileInvalid(f"A line is no JSON: {error}") from error


def _supervised(line: dict[str, Any], number: int) -> Lesson:
    contents = _contents(line, number)
    if contents[-1].get("role") != "model":
        raise FileInvalid(f"Line {number}: the last turn must be the model's.")
    return Lesson(spelled(contents[:-1]), contents[-1])


def _preference(line: dict[str, Any], number: int) -> Lesson:
    said = camel(line)
    completions = said.pop("completions", [])
    scores = {one.get("score"): one.get("completion") for one in completions}
    if set(scores) != {0, 1} or len(completions) != len(scores):
        raise FileInvalid(f"Line {number}: exactly one completion with score 1 and one with 0.")
    contents = _contents(said, number)
    if contents[-1].get("role") != "user":
        raise FileInvalid(f"Line {number}: the contents must end with the user's turn.")
    answers = {score: _parse(v1.Content, answer, number) for score, answer in scores.items()}
    for content in (*contents, *answers.values()):
        if any("text" not in part for part in content["parts"]):
            raise FileInvalid(f"Line {number}: preference tuning takes text only.")
    return Lesson(spelled(contents), answers[1])


def _contents(line: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """A line has the fields of a request; whatever else stands in it is refused."""
    contents = _parse(v1.GenerateContentRequest, line, number).get("contents", [])
    if not contents:
        raise FileInvalid(f"Line {number}: there are no contents.")
    for content in contents:
        if content.get("role") not in ("user", "model"):
            raise FileInvalid(f"Line {number}: a role is user or model.")
        if not content.get("parts"):
            raise FileInvalid(f"Line {number}: a turn has no parts.")
    return contents


def _parse(message: Any, value: Any, number: int) -> dict[str, Any]:
    try:
        parsed(message, value)
    except ParseError as error:
        raise FileInvalid(f"Line {number}: {error}") from error
    return plain(message, value)
