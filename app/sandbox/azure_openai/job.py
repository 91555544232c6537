"""A fine-tuning job as Azure words it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from app.sandbox.openai.job import Job

_WORDS: Mapping[str, str] = {"validating_files": "pending"}


@dataclass(slots=True, kw_only=True)
class AzureJob(Job):
    """OpenAI's job under Azure's names; its shape is that of the v1 surface."""

    @property
    def model_name(self) -> str:
        """`<base>.ft-<32 digits>`, and the suffix where one was given."""
        tail = f"-{self.suffix}" if self.suffix else ""
        return f"{self.base}.ft-{_digits(self.id)}{tail}"

    def checkpoint_name(self, step: int) -> str:
        """`ftchkpt-<32 digits>`, which tells nothing of its job."""
        return f"ftchkpt-{_digits(f'{self.id}/{step}')}"

    def shape(self, shown_status: str | None) -> dict[str, Any]:
        """The job on the wire."""
        word = shown_status or _WORDS.get(self.status)
        # Named in full: a dataclass with slots is made anew, and `super()` knows the old one.
        return Job.shape(self, word) | {"user_provided_suffix": self.suffix}


def _digits(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
