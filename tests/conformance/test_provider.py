"""What every provider promises, asked of each where it trains."""

from contextlib import suppress

import pytest

from app.domain.errors import Later, Never, Steer
from app.domain.jobs import Method, Remote
from app.domain.offers import listing
from app.domain.provider import (
    Deploying,
    Importing,
    Listing,
    Observation,
    Operation,
    RemoteState,
    Servable,
    Sweeping,
)
from app.providers import catalog
from tests.conformance.conftest import STAGES
from tests.conformance.stage import Stage, answer, chats, plan, preferences
from tests.conformance.steps import WITHOUT_ANSWERS, serve, streamed, told, tuned

TESTS_OWN = {"simulated"}

GRADER = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference_answer }}",
}

OTHER_METHODS = {
    "dpo": (Method("dpo", {"epochs": 1}), preferences()),
    "rft": (Method("rft", {"grader": GRADER}), chats()),
}
"""What is asked for beside `sft`, and on what."""


def test_every_provider_has_a_stage() -> None:
    staged = {name.partition("@")[0] for name in STAGES}
    assert set(catalog.specs()) - TESTS_OWN == staged


async def test_a_training_goes_all_the_way(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage, validation=chats(10)))
    stage.finish(remote)

    seen = await stage.provider.observe(remote, None)

    assert seen.state is RemoteState.SUCCEEDED
    assert seen.artifact is not None
    assert seen.artifact.effective["epochs"] == 2
    assert seen.error is None


async def test_every_other_method_goes_all_the_way(stage: Stage) -> None:
    for number, (base_model, name) in enumerate(_other_methods(stage)):
        method, training = OTHER_METHODS[name]
        given = {"base_model": base_model, "method": method, "training": training}

        assert await tuned(stage, f"job-1-{number + 1}", **given)


async def test_what_is_offered_is_declared(stage: Stage) -> None:
    provider, offered = stage.provider, stage.provider.spec.operations
    remote = await provider.submit(plan(stage))

    assert isinstance(provider, Deploying) == (Operation.DEPLOY in offered)
    assert isinstance(provider, Importing) or Operation.IMPORT not in offered
    assert isinstance(provider, Listing) or Operation.REFRESH not in offered
    for operation, verb in [
        (Operation.PAUSE, lambda: provider.pause(remote)),
        (Operation.RESUME, lambda: provider.resume(remote)),
        (Operation.LOGS, lambda: provider.logs(remote, 0)),
    ]:
        if operation not in offered:
            with pytest.raises(Never) as refused:
                await verb()
            assert refused.value.code == "operation_not_supported"


async def test_what_was_submitted_is_found(stage: Stage) -> None:
    assert await stage.provider.find("job-1-1") is None

    remote = await stage.provider.submit(plan(stage))

    found = await stage.provider.find("job-1-1")
    assert found is not None
    assert found.id == remote.id
    assert await stage.provider.find("job-1") is None
    assert await stage.provider.find("job-1-2") is None


async def test_nothing_is_told_twice_and_nothing_is_lost(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    looks = [await stage.provider.observe(remote, None)]
    for move in (stage.begin, stage.begin, stage.finish):
        move(remote)
        looks.append(await stage.provider.observe(remote, looks[-1].cursor))
        looks.append(await stage.provider.observe(remote, looks[-1].cursor))

    at_once = await stage.provider.observe(remote, None)

    assert [e for look in looks for e in look.events] == at_once.events
    assert [c for look in looks for c in look.checkpoints] == at_once.checkpoints
    assert _steps(*looks) == _steps(at_once)
    assert looks[-1].state is RemoteState.SUCCEEDED


async def test_a_look_only_reads(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.begin(remote)
    before = stage.writes()

    await stage.provider.observe(remote, None)
    await stage.provider.find("job-1-1")

    assert stage.writes() == before


async def test_a_cancelled_training_ends_and_stays_so(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.begin(remote)

    await stage.provider.cancel(remote)
    stage.finish(remote)

    assert (await stage.provider.observe(remote, None)).state is RemoteState.CANCELLED
    with suppress(Steer):
        await stage.provider.cancel(remote)
    assert (await stage.provider.observe(remote, None)).state is RemoteState.CANCELLED


async def test_a_paused_training_goes_on(stage: Stage) -> None:
    if Operation.PAUSE not in stage.provider.spec.operations:
        pytest.skip("it cannot pause")
    remote = await stage.provider.submit(plan(stage))
    stage.begin(remote)

    await stage.provider.pause(remote)
    paused = await stage.provider.observe(remote, None)
    await stage.provider.resume(remote)
    stage.finish(remote)

    assert paused.state is RemoteState.PAUSED
    assert (await stage.provider.observe(remote, None)).state is RemoteState.SUCCEEDED


async def test_a_failure_comes_with_its_reason(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))
    stage.fail(remote)

    seen = await stage.provider.observe(remote, None)

    assert seen.state is RemoteState.FAILED
    assert seen.error is not None
    assert "It failed." in seen.error.message
    assert seen.artifact is None


async def test_what_is_gone_is_no_silence(stage: Stage) -> None:
    remote = await stage.provider.submit(plan(stage))

    with pytest.raises(Steer) as gone:
        await stage.provider.observe(Remote(f"{remote.id}0"), None)

    assert not isinstance(gone.value, Later)


async def test_the_tuned_model_answers_until_it_is_deleted(stage: Stage) -> None:
    if stage.provider.spec.kind in WITHOUT_ANSWERS:
        pytest.skip("nothing serves what is tuned there")
    artifact = await tuned(stage)
    await serve(stage, artifact.handle)
    await stage.provider.probe(artifact)
    model = Servable(stage.base_model, artifact.handle)

    said = await told(stage, model)

    assert said == (answer(3) if stage.learns else said)
    assert await streamed(stage, model) == said
    await stage.provider.delete(artifact.handle)
    await stage.provider.delete(artifact.handle)


async def test_a_training_goes_on_from_a_tuned_model(stage: Stage) -> None:
    first = await tuned(stage)

    second = await tuned(stage, "job-2-1", parent_artifact=first.handle)

    assert second.handle != first.handle


async def test_all_that_was_submitted_can_be_listed(stage: Stage) -> None:
    if not isinstance(stage.provider, Sweeping):
        pytest.skip("what is created there is exactly one")
    remote = await stage.provider.submit(plan(stage))

    (listed,) = await stage.provider.submitted(0)

    assert (listed.key, listed.remote.id) == ("job-1-1", remote.id)


async def test_the_vendors_own_list_has_what_can_be_tuned_and_nothing_that_was(
    stage: Stage,
) -> None:
    source = listing(stage.provider)
    if source is None:
        pytest.skip("there is no list that could be asked for")
    artifact = await tuned(stage)

    listed = {model.name for model in await source.list_models()}

    assert stage.base_model in listed
    assert artifact.handle not in listed


def _other_methods(stage: Stage) -> list[tuple[str, str]]:
    """Every method beside `sft` with a base model that has it."""
    offers = {
        name: base.name
        for base in reversed(stage.provider.base_models())
        for name in base.methods
        if name in stage.provider.spec.methods and name != "sft"
    }
    return [(base_model, name) for name, base_model in offers.items()]


def _steps(*looks: Observation) -> list[int]:
    return sorted({point.step for look in looks for point in look.metrics})
