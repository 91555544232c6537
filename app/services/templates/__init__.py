"""Templates: ready starting points for datasets, shipped as files beside this module.

A template is a folder with `template.json`, `guide.md` and `sample.jsonl`.
"""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from app.domain.datasets import DatasetKind
from app.domain.errors import TemplateNotFound

ORDER = (
    "brand-voice",
    "classification",
    "extraction",
    "summarisation",
    "rewriting",
    "tool-calls",
    "preference",
)


class Criterion(msgspec.Struct, frozen=True):
    """One thing to judge an example by."""

    criterion: str
    question: str
    good: str
    poor: str


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A starting point: what to collect, how to judge it, and what it looks like."""

    name: str
    title: str
    summary: str
    kind: DatasetKind
    method: str
    rubric: list[Criterion]
    guide: str
    """In Markdown."""
    examples: int


class _Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    summary: str
    kind: DatasetKind
    method: str
    rubric: list[Criterion]


def list_templates() -> list[Template]:
    """Every template, the most wanted first."""
    return [get_template(name) for name in ORDER]


@cache
def get_template(name: str) -> Template:
    """The template of that name; raises `TemplateNotFound`."""
    folder = _folder(name)
    described = msgspec.json.decode((folder / "template.json").read_bytes(), type=_Described)
    return Template(
        name=name,
        title=described.title,
        summary=described.summary,
        kind=described.kind,
        method=described.method,
        rubric=described.rubric,
        guide=(folder / "guide.md").read_text("utf-8"),
        examples=sample(name).count(b"\n"),
    )


def sample(name: str) -> bytes:
    """The sample's canonical JSON Lines; raises `TemplateNotFound`."""
    return (_folder(name) / "sample.jsonl").read_bytes()


def _folder(name: str) -> Traversable:
    if name not in ORDER:
        known = ", ".join(ORDER)
        raise TemplateNotFound(f"There is no template {name!r}; there are {known}.")
    return files(__name__) / name
