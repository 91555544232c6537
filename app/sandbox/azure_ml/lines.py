"""The training file of a fine-tuning job for chat completion, read strictly.

Microsoft publishes no schema of it: conversations of text, a line each, are its documented use.
"""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class FileInvalid(Exception):
    """A file that a job fails on; the message says why."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["system", "user", "assistant"]
    content: str


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    messages: list[_Message] = Field(min_length=1)


def check(content: bytes) -> None:
    """Raise `FileInvalid` with the first faulty line."""
    lines = content.splitlines()
    if not lines:
        raise FileInvalid("The training file is empty.")
    for number, line in enumerate(lines, start=1):
        try:
            _Line.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise FileInvalid(f"Line {number} of the training file: {error}") from error
