"""What the generation thread tells about one request, in the order in which it happens."""

from dataclasses import dataclass
from typing import Literal

from app.providers.local.inference.errors import InferenceRejected


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt was rendered and fits; tokens follow."""

    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Said:
    """The next piece of text, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end; `completion_tokens` counts the end-of-turn token, as vLLM does."""

    reason: Literal["stop", "length"]
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The end of a request that could not be answered."""

    error: InferenceRejected


Progress = Started | Said | Finished
Event = Progress | Failed
