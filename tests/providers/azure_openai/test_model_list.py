"""Azure OpenAI's own list of models, by either API."""

from datetime import date

import pytest

from app.domain.offers import listing
from app.domain.provider import Connection
from app.providers.azure_openai import AzureOpenAIOptions, spec_of
from app.providers.azure_openai.provider import AzureOpenAIProvider
from app.sandbox.openai.models import BASES
from tests.conformance.azure_openai_stage import AzureOpenAIStage
from tests.providers.azure_openai.given import a_tuned_model

END = date(2999, 3, 31)


async def test_the_v1_api_names_models_and_the_days_of_their_end(stage: AzureOpenAIStage) -> None:
    await a_tuned_model(stage)
    stage.simulated.change(shutdown_dates={stage.base_model: END})

    found = {model.name: model for model in await stage.provider.list_models()}

    assert found.keys() == BASES.keys()
    assert found[stage.base_model].serving_ends_at == END
    assert found[stage.base_model].is_tunable is None


async def test_the_dated_api_says_what_can_be_tuned_and_until_when(dated: AzureOpenAIStage) -> None:
    await a_tuned_model(dated)
    dated.simulated.change(
        shutdown_dates={dated.base_model: END},
        other_models={"gpt-35-turbo-0125": True, "text-embedding-3-large": False},
    )

    found = {model.name: model for model in await dated.provider.list_models()}

    assert found.keys() == {*BASES, "gpt-35-turbo-0125", "text-embedding-3-large"}
    base = found[dated.base_model]
    assert (base.is_tunable, base.training_ends_at, base.serving_ends_at) == (True, END, END)
    assert found["gpt-35-turbo-0125"].is_tunable is True
    assert found["text-embedding-3-large"].is_tunable is False


def test_a_model_that_only_azure_knows_has_the_usual_bounds_and_no_price(
    dated: AzureOpenAIStage,
) -> None:
    newcomer = dated.provider.newcomer("gpt-35-turbo-0125")

    assert (newcomer.name, newcomer.methods, newcomer.prices) == ("gpt-35-turbo-0125", ["sft"], [])
    assert newcomer.hyperparameters["sft"]["epochs"].high == 50
    assert newcomer.note is not None


@pytest.mark.parametrize(
    ("endpoint", "has_list"),
    [
        ("https://acme.openai.azure.com", True),
        ("https://acme.services.ai.azure.com/api/projects/one", False),
    ],
)
def test_a_projects_list_is_not_asked_for(endpoint: str, has_list: bool) -> None:
    options = AzureOpenAIOptions.model_validate({"endpoint": endpoint, "api_key": "k"})
    provider = AzureOpenAIProvider(spec_of(options), Connection("azure", options, "."))

    assert (listing(provider) is not None) is has_list
