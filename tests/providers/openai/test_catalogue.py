"""What is known of OpenAI without asking: names, dates, methods, and what is missing."""

from datetime import date
from typing import Any

import pytest

from app.domain.errors import BaseModelUnknown
from app.domain.provider import Connection
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai.provider import OpenAIProvider


def _provider(*, correction: dict[str, Any] | None = None, **options: Any) -> OpenAIProvider:
    connection = Connection("openai", OpenAIOptions(**options), ".", correction or {})
    return OpenAIProvider(SPEC, connection)


def test_creation_closes_on_the_announced_day() -> None:
    creation = _provider().creation

    assert creation.is_open(date(2027, 1, 5))
    assert not creation.is_open(date(2027, 1, 6))


def test_living_base_models_end_on_the_announced_day() -> None:
    living = [one for one in _provider().base_models() if one.serving_ends_at != RETIRED]

    assert {one.serving_ends_at for one in living} == {date(2027, 1, 14)}
    assert all(one.source and one.prices for one in living)


RETIRED = date(2026, 10, 23)


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4.1-mini-2025-04-14",
        "ft:gpt-4.1-mini-2025-04-14:acme:weather:AbC",
        "ft:gpt-4.1-mini-2025-04-14:acme::AbC:ckpt-step-20",
    ],
)
def test_tuned_models_can_be_tuned_again(name: str) -> None:
    found = _provider().base_model(name)

    assert found.name == name
    assert found.methods == ["sft", "dpo"]


@pytest.mark.parametrize("name", ["gpt-9", "ft:gpt-9:acme::x", "ft:"])
def test_an_unknown_base_model_is_told_with_the_known_ones(name: str) -> None:
    with pytest.raises(BaseModelUnknown, match=r"gpt-4\.1-mini"):
        _provider().base_model(name)


def test_an_operator_adds_a_base_model() -> None:
    provider = _provider(correction={"models": [{"name": "gpt-9"}]})

    assert provider.base_model("gpt-9").hyperparameters["sft"]["epochs"].high == 50


def test_without_a_key_it_says_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    assert _provider().missing == ["LUTHIER_PROVIDERS__OPENAI__API_KEY"]
    assert _provider(api_key="sk-secret").missing == []


def test_the_vendors_own_variable_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    assert _provider().missing == []


def test_no_secret_is_shown() -> None:
    options = OpenAIOptions.model_validate({"api_key": "sk-secret", "webhook_secret": "whsec_x"})

    assert "sk-secret" not in repr(options)
    assert "whsec_x" not in repr(options)
