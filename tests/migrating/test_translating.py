"""Recipes in other words: the rules of docs/migrate.md, and what they leave to nobody."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.catalogue import BaseModel
from app.domain.errors import MethodNotSupported
from app.domain.jobs import Method
from app.domain.provider import Provider
from app.domain.translating import TRANSLATABLE, overridden, translate
from app.providers import catalog

PAGE = (Path(__file__).parents[2] / "docs" / "migrate.md").read_text()
CELL = r"`([^`]+)`"
EXAMPLES = re.findall(rf"^\| {CELL} \| {CELL} {CELL} \| {CELL} \|$", PAGE, re.MULTILINE)


@pytest.fixture
def providers(tmp_path: Path) -> dict[str, Provider]:
    """All that come along, with what is known of them offline."""
    sections = catalog.with_unconfigured({})
    return dict(catalog.connect(sections, data_dir=str(tmp_path), corrections={}))


@pytest.mark.parametrize(("asked", "provider", "base_model", "becomes"), EXAMPLES)
def test_the_examples_of_the_page_are_true(
    providers: dict[str, Provider], asked: str, provider: str, base_model: str, becomes: str
) -> None:
    base = providers[provider].base_model(base_model)
    found = translate(Method("sft", json.loads(asked)), base, keeps_rate=False)
    assert found.method == Method("sft", json.loads(becomes))


def test_the_page_has_a_rule_for_everything_that_can_be_set(
    providers: dict[str, Provider],
) -> None:
    [table] = re.findall(r"\| hyperparameter \| rule \|\n(?:\|.*\n)+", PAGE)
    told = {name for line in table.splitlines() for name in re.findall(CELL, line.split("|")[1])}
    assert set(_settings(providers)) == told


def test_each_value_is_told_with_its_reason() -> None:
    target = _target(epochs={"low": 1, "high": 4, "is_whole": True})
    found = translate(Method("sft", {"epochs": 9, "scheduler": "cosine"}), target, keeps_rate=False)
    [epochs, scheduler] = found.notes
    assert (epochs.before, epochs.after) == (9, 4)
    assert epochs.why == "the closest to it: epochs is a whole number from 1 up to 4, or auto"
    assert (scheduler.after, scheduler.why) == (None, "there is no such setting there")


@pytest.mark.parametrize(("keeps_rate", "kept"), [(True, {"learning_rate": 0.1}), (False, {})])
def test_a_rate_is_kept_where_it_means_the_same(keeps_rate: bool, kept: dict[str, Any]) -> None:
    target = _target(learning_rate={"low": 0, "is_above": True})
    asked = Method("sft", {"learning_rate": 0.1, "learning_rate_multiplier": 2})
    assert translate(asked, target, keeps_rate=keeps_rate).method.hyperparameters == kept


def test_where_no_bounds_are_known_values_are_carried_as_they_are() -> None:
    asked = Method("sft", {"epochs": 9, "taste": "sweet", "learning_rate": 0.1})
    found = translate(asked, BaseModel("any", ["sft"]), keeps_rate=False)
    assert found.method.hyperparameters == {"epochs": 9, "taste": "sweet"}


def test_what_a_person_asks_for_comes_first() -> None:
    target = _target(epochs={"low": 1})
    found = translate(Method("sft", {"epochs": 9}), target, keeps_rate=False)
    changed = overridden(found, {"epochs": 2, "batch_size": 8})
    assert changed.method.hyperparameters == {"epochs": 2, "batch_size": 8}
    assert [(note.field, note.before, note.after) for note in changed.notes] == [
        ("epochs", 9, 2),
        ("batch_size", None, 8),
    ]


@pytest.mark.parametrize("type_", ["rft", "distillation"])
def test_what_belongs_to_its_vendor_is_refused(type_: str) -> None:
    with pytest.raises(MethodNotSupported, match=type_):
        translate(Method(type_), BaseModel("any", [type_]), keeps_rate=False)


@pytest.mark.parametrize("value", ["many", True, [1], None])
def test_a_value_without_a_counterpart_is_left_out(value: Any) -> None:
    target = _target(epochs={"low": 1}, adapter={"choices": ["lora", 2]})
    found = translate(Method("sft", {"epochs": value, "adapter": value}), target, keeps_rate=False)
    assert found.method.hyperparameters == {}


def _settings(providers: dict[str, Provider]) -> Iterator[str]:
    for provider in providers.values():
        for base in provider.base_models():
            for method in TRANSLATABLE:
                yield from base.hyperparameters.get(method, {})


def _target(**bounds: Any) -> BaseModel:
    known = {"name": "any", "methods": ["sft"], "hyperparameters": {"sft": bounds}}
    return msgspec.convert(known, BaseModel)
