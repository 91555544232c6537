"""The names by which the worker knows models: `base:<path or name>`, `adapter:<folder>`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModelHandle:
    """A whole model (base or fully tuned) or an adapter; `str()` gives the request's `model`."""

    kind: Literal["base", "adapter"]
    location: str

    @classmethod
    def base(cls, location: str | Path) -> "ModelHandle":
        """A whole model: a folder, or a name on the Hugging Face hub."""
        return cls("base", _place(str(location)))

    @classmethod
    def adapter(cls, folder: str | Path) -> "ModelHandle":
        """A folder with an `adapter_config.json`, which names its base model."""
        return cls("adapter", _place(str(folder)))

    @classmethod
    def parse(cls, text: str) -> "ModelHandle":
        """Read what `str()` wrote; ValueError for anything else."""
        kind, _, location = text.partition(":")
        if not location or kind not in {"base", "adapter"}:
            raise ValueError(f"{text!r} is neither 'base:<path or name>' nor 'adapter:<folder>'.")
        return cls.base(location) if kind == "base" else cls.adapter(location)

    def __str__(self) -> str:
        return f"{self.kind}:{self.location}"


def _place(location: str) -> str:
    """One spelling for every folder, so that a model is not loaded twice under two names."""
    path = Path(location).expanduser()
    return str(path.resolve()) if path.exists() else location
