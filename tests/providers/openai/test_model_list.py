"""OpenAI's own list of models: what is there and until when, without what was tuned."""

from datetime import date

import pytest

from app.domain.errors import Later, YourTurn
from app.providers.openai.provider import OpenAIProvider
from app.sandbox.frame.faults import Failure
from app.sandbox.openai.models import BASES
from tests.conformance.openai_stage import OpenAIStage
from tests.conformance.stage import plan

MODELS = "/v1/models"


async def test_base_models_are_listed_with_the_day_of_their_end(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    stage.simulated.change(shutdown_dates={stage.base_model: date(2999, 1, 14)})

    found = {model.name: model for model in await provider.list_models()}

    assert found.keys() == BASES.keys()
    assert found[stage.base_model].serving_ends_at == date(2999, 1, 14)
    assert found["gpt-4o-2024-08-06"].serving_ends_at is None
    assert {model.is_tunable for model in found.values()} == {None}


async def test_what_is_shut_down_and_what_was_tuned_is_not_listed(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    remote = await provider.submit(plan(stage))
    stage.finish(remote)
    await provider.observe(remote, None)
    stage.simulated.change(shutdown_dates={"gpt-4o-2024-08-06": date(2020, 1, 1)})

    found = {model.name for model in await provider.list_models()}

    assert found == BASES.keys() - {"gpt-4o-2024-08-06"}


async def test_an_empty_list_is_not_believed(stage: OpenAIStage, provider: OpenAIProvider) -> None:
    stage.simulated.change(shutdown_dates=dict.fromkeys(BASES, date(2020, 1, 1)))

    with pytest.raises(Later, match="no models"):
        await provider.list_models()


async def test_a_list_that_does_not_come_can_be_asked_for_again(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    stage.simulated.order(Failure(status=500), MODELS, method="GET")
    with pytest.raises(Later):
        await provider.list_models()
    assert await provider.list_models()

    stage.expire_the_credentials()
    with pytest.raises(YourTurn):
        await provider.list_models()
