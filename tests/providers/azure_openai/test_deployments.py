"""Deployments: only an order deploys, a name follows from the model, and what goes is seen."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.errors import Later, ModelUnavailable, Never, Steer, YourTurn
from app.domain.provider import Deploying, DeploymentState, Servable
from app.providers.azure_openai.deployments import name_of
from app.providers.azure_openai.provider import AzureOpenAIProvider
from app.sandbox.frame.faults import Failure, Garbage, Reset
from tests.conformance.azure_openai_stage import TOKEN, AzureOpenAIStage, azure_openai_stage
from tests.providers.azure_openai import given

ARM = "/subscriptions/*"
DAY_SECONDS = 86_400


def test_the_provider_deploys(provider: AzureOpenAIProvider) -> None:
    assert isinstance(provider, Deploying)


@pytest.mark.parametrize("model", ["gpt-4.1.ft-0a1b", "ftchkpt-" + "0" * 80, "a b/c"])
def test_a_name_is_one_that_azure_takes(model: str) -> None:
    name = name_of(model)

    assert 2 <= len(name) <= 64
    assert all(letter.isalnum() or letter in "-_." for letter in name)
    assert name != name_of(model + "1")


async def test_only_an_order_deploys(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    tuned = await given.a_tuned_model(stage)

    await provider.probe(tuned)
    assert await provider.deployment(tuned.handle) is None
    with pytest.raises(ModelUnavailable, match="deploy"):
        await provider.chat(given.servable(stage, tuned), given.QUESTION)
    with pytest.raises(ModelUnavailable, match="deploy"):
        _ = [c async for c in provider.chat_stream(given.servable(stage, tuned), given.QUESTION)]

    assert given.puts(stage) == 0


async def test_a_deployment_is_made_once_and_priced(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    tuned = await given.a_tuned_model(stage)
    stage.simulated.change(deployment_looks=2)

    first = await provider.deploy(tuned.handle)
    again = await provider.deploy(tuned.handle)
    ready = await provider.deployment(tuned.handle)

    assert (first.state, again.state) == (DeploymentState.CREATING, DeploymentState.CREATING)
    assert ready is not None
    assert ready.state is DeploymentState.READY
    assert (ready.name, ready.usd_per_hour) == (name_of(tuned.handle), Decimal("1.70"))
    assert ready.since is not None
    assert given.puts(stage) == 1


async def test_what_is_not_ready_is_asked_later(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    tuned = await given.a_tuned_model(stage)
    stage.simulated.change(deployment_looks=1)
    await provider.deploy(tuned.handle)

    with pytest.raises(ModelUnavailable):
        await provider.chat(given.servable(stage, tuned), given.QUESTION)
    await provider.deployment(tuned.handle)
    assert await provider.chat(given.servable(stage, tuned), given.QUESTION)


async def test_undeploying_twice_is_fine(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    tuned = await given.a_tuned_model(stage)
    await provider.deploy(tuned.handle)
    stage.simulated.change(deployment_looks=1)

    await provider.undeploy(tuned.handle)
    leaving = await provider.deployment(tuned.handle)
    await provider.undeploy(tuned.handle)

    assert leaving is not None
    assert leaving.state is DeploymentState.DELETING
    await provider.deployment(tuned.handle)
    assert await provider.deployment(tuned.handle) is None
    await provider.undeploy(tuned.handle)


async def test_one_that_azure_removed_is_seen(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    tuned = await given.a_tuned_model(stage)
    await provider.deploy(tuned.handle)

    stage.simulated.pass_time(15 * DAY_SECONDS)

    assert await provider.deployment(tuned.handle) is None


async def test_the_developer_tier_has_an_end_and_no_price(tmp_path: Path) -> None:
    async with azure_openai_stage(tmp_path, deployment_sku="DeveloperTier") as stage:
        tuned = await given.a_tuned_model(stage)

        deployed = await stage.provider.deploy(tuned.handle)

        assert deployed.since is not None
        assert deployed.ends_at == deployed.since + DAY_SECONDS * 1000
        assert deployed.usd_per_hour is None
        stage.simulated.pass_time(DAY_SECONDS)
        assert await stage.provider.deployment(tuned.handle) is None


async def test_an_answer_that_is_lost_leaves_one_deployment(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    tuned = await given.a_tuned_model(stage)
    stage.simulated.order(Reset(during="effect"), ARM, method="PUT")

    with pytest.raises(Exception, match="no answer") as lost:
        await provider.deploy(tuned.handle)
    again = await provider.deploy(tuned.handle)

    assert not isinstance(lost.value, Steer)
    assert again.state is DeploymentState.READY
    assert list(stage.simulated.deployments) == [name_of(tuned.handle)]
    assert given.puts(stage) == 1


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Failure(status=409, code="Conflict"), Later),
        (Failure(status=429, headers={"retry-after": "7"}), Later),
        (Failure(status=400, code="InsufficientQuota"), YourTurn),
        (Failure(status=403, message="No right to write."), YourTurn),
        (Failure(status=404, code="ResourceGroupNotFound"), YourTurn),
        (Failure(status=400, code="InvalidResourceProperties"), Never),
    ],
)
async def test_a_refused_deployment_is_one_of_three_words(
    stage: AzureOpenAIStage,
    provider: AzureOpenAIProvider,
    fault: Failure,
    word: type[Steer],
) -> None:
    stage.simulated.order(fault, ARM, method="PUT")

    with pytest.raises(word) as refused:
        await provider.deploy("gpt-4.1-mini-2025-04-14.ft-0a1b")

    if isinstance(refused.value, Later) and "retry-after" in fault.headers:
        assert refused.value.retry_after == 7


@pytest.mark.parametrize("fault", [Failure(status=500), Garbage(), Garbage(body="{}")])
async def test_what_cannot_be_understood_promises_nothing(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider, fault: Failure | Garbage
) -> None:
    stage.simulated.order(fault, ARM, method="PUT")

    with pytest.raises(Exception, match="Azure") as unclear:
        await provider.deploy("gpt-4.1-mini-2025-04-14.ft-0a1b")
    assert not isinstance(unclear.value, Steer)


async def test_an_expired_token_is_the_users_turn(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    stage.simulated.change(expired_keys={TOKEN})

    with pytest.raises(YourTurn):
        await provider.deploy("gpt-4.1-mini-2025-04-14.ft-0a1b")


async def test_a_resource_that_is_not_there_is_no_missing_deployment(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    gone = Failure(status=404, code="ResourceNotFound", message="No account 'conformance'.")
    stage.simulated.order(gone, ARM, times=4)

    with pytest.raises(YourTurn, match="No account"):
        await provider.deployment("gpt-4.1-mini-2025-04-14.ft-0a1b")
    with pytest.raises(YourTurn, match="No account"):
        await provider.undeploy("gpt-4.1-mini-2025-04-14.ft-0a1b")


async def test_azure_away_means_later(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    stage.go_away()

    with pytest.raises(Later):
        await provider.deploy("gpt-4.1-mini-2025-04-14.ft-0a1b")


async def test_what_must_be_set_to_deploy_is_named(tmp_path: Path) -> None:
    async with azure_openai_stage(tmp_path, subscription_id=None, account=None) as stage:
        tuned = await given.a_tuned_model(stage)

        with pytest.raises(YourTurn) as turn:
            await stage.provider.deploy(tuned.handle)

        assert "LUTHIER_PROVIDERS__AZURE_OPENAI__SUBSCRIPTION_ID" in str(turn.value)
        assert "LUTHIER_PROVIDERS__AZURE_OPENAI__ACCOUNT" in str(turn.value)
        await stage.provider.delete(tuned.handle)


async def test_a_base_model_answers_under_its_own_name(
    stage: AzureOpenAIStage, provider: AzureOpenAIProvider
) -> None:
    with pytest.raises(ModelUnavailable, match="under its own name"):
        await provider.chat(Servable(stage.base_model), given.QUESTION)
