"""What is known of Azure OpenAI without asking anybody."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from app.domain.catalogue import Price, PriceUnit
from app.domain.datasets import DatasetKind, DatasetSummary
from app.domain.errors import BaseModelUnknown, Later, YourTurn
from app.domain.jobs import Method
from app.domain.provider import Connection, Recipe
from app.providers.azure_openai import SPEC, AzureOpenAIOptions
from app.providers.azure_openai.entra import Entra, Token
from app.providers.azure_openai.provider import AzureOpenAIProvider
from tests.conformance.azure_openai_stage import FixedToken
from tests.providers.openai_wire.test_hyperparameters import GRADER

PYTHON = {"type": "python", "name": "same", "source": "def grade(sample, item): return 1.0"}


class Refusing:
    """Nobody is signed in, for one reason or another."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def get_token(self, *_scopes: str) -> Token:
        if self.errors:
            raise self.errors.pop(0)
        return FixedToken("good")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is set on this machine."""
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT", raising=False)
    monkeypatch.delenv("AZURE_OPENAI_API_KEY", raising=False)


def _provider(name: str = "azure_openai", **options: Any) -> AzureOpenAIProvider:
    checked = AzureOpenAIOptions.model_validate(options)
    return AzureOpenAIProvider(SPEC, Connection(name, checked, "/nowhere"))


def _recipe(provider: AzureOpenAIProvider, base_model: str, method: Method) -> Recipe:
    summary = DatasetSummary(DatasetKind.CHAT, examples=50, bytes=5000)
    return Recipe(base_model=provider.base_model(base_model), method=method, dataset=summary)


async def test_what_is_missing_is_named() -> None:
    provider = _provider("europe")

    assert provider.missing == [
        "LUTHIER_PROVIDERS__EUROPE__ENDPOINT",
        "LUTHIER_PROVIDERS__EUROPE__API_KEY",
    ]
    with pytest.raises(YourTurn, match="LUTHIER_PROVIDERS__EUROPE__ENDPOINT"):
        await provider.find("job-1-1")


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint": "https://a.openai.azure.com", "api_key": "k"},
        {"endpoint": "https://a.openai.azure.com", "credential": "managed_identity"},
    ],
)
def test_a_key_or_a_credential_is_enough(options: dict[str, Any]) -> None:
    assert _provider(**options).missing == []


def test_azures_own_variables_do_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://a.openai.azure.com")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")

    assert _provider().missing == []


@pytest.mark.parametrize(
    ("sku", "hourly"),
    [("Standard", Decimal("1.70")), ("globalstandard", Decimal("1.70")), ("DeveloperTier", None)],
)
def test_hosting_is_priced_by_the_deployments_sku(sku: str, hourly: Decimal | None) -> None:
    provider = _provider(deployment_sku=sku)

    (found,) = [
        [price.usd for price in model.prices if price.unit is PriceUnit.HOSTING_HOURS]
        for model in provider.base_models()
        if model.name == "gpt-4.1-mini-2025-04-14"
    ]

    assert found == ([] if hourly is None else [hourly])


def test_every_price_has_a_source_and_none_a_class_of_service() -> None:
    prices: list[Price] = [price for m in _provider().base_models() for price in m.prices]

    assert prices
    assert all(price.source and price.as_of >= date(2026, 1, 1) for price in prices)
    assert {price.tier for price in prices} == {None}


def test_a_tuned_model_is_like_its_base() -> None:
    provider = _provider()

    tuned = provider.base_model("gpt-4.1-mini-2025-04-14.ft-0a1b-weather")

    assert tuned.methods == ["sft", "dpo"]
    with pytest.raises(BaseModelUnknown, match="LUTHIER_CATALOGUE"):
        provider.base_model("gpt-9")


@pytest.mark.parametrize(
    ("grader", "codes"),
    [
        (GRADER, []),
        (PYTHON, ["grader_not_supported"]),
        (
            {
                "type": "multi",
                "name": "all",
                "graders": {"one": GRADER, "two": PYTHON},
                "calculate_output": "one + two",
            },
            ["grader_not_supported"],
        ),
    ],
)
def test_graders_that_run_code_are_refused(grader: Any, codes: list[str]) -> None:
    provider = _provider()
    recipe = _recipe(provider, "o4-mini-2025-04-16", Method("rft", {"grader": grader}))

    assert [fault.code for fault in provider.check(recipe)] == codes


async def test_a_refused_sign_in_is_the_users_turn_and_told_in_one_line() -> None:
    error = ClientAuthenticationError("AADSTS7000222: The secret has expired.\nTrace: secret-1")
    entra = Entra("environment", Refusing(error))

    with pytest.raises(YourTurn, match="AADSTS7000222") as turn:
        await entra.token("scope")

    assert "secret-1" not in str(turn.value)
    assert turn.value.__cause__ is None


async def test_entra_away_means_later_and_then_a_token_is_kept() -> None:
    credential = Refusing(ServiceRequestError("no route"))
    entra = Entra("default", credential)

    with pytest.raises(Later):
        await entra.token("scope")
    assert await entra.token("scope") == "good"
    credential.errors.append(ServiceRequestError("no route"))
    assert await entra.token("scope") == "good"
