"""Models at the door: listed, asked, removed."""

from typing import Any

import pytest
from openai import APIError, BadRequestError, NotFoundError, PermissionDeniedError

from tests.openai_door import given
from tests.openai_door.conftest import Desk
from tests.simulated.simulated_provider import SimulatedProvider

ASKED: Any = [{"role": "user", "content": "say 3"}]


async def test_tuned_models_and_base_models_are_listed(desk: Desk) -> None:
    tuned = await given.tuned(desk)

    listed = [model async for model in desk.openai.models.list()]

    assert [model.id for model in listed] == [tuned, desk.model, "simulated/sim-sft-only"]
    assert (listed[0].owned_by, listed[1].owned_by) == ("luthier", "simulated")


async def test_a_model_is_known_by_all_its_names(desk: Desk) -> None:
    tuned = await given.tuned(desk)
    native = f"model_{tuned.rpartition(':')[2]}"

    for name in (tuned, native):
        assert (await desk.openai.models.retrieve(name)).id == tuned
    for name in (desk.model, "sim-base"):
        assert (await desk.openai.models.retrieve(name)).id == desk.model


async def test_a_tuned_model_is_deleted_and_a_base_model_is_not(desk: Desk) -> None:
    tuned = await given.tuned(desk)

    assert (await desk.openai.models.delete(tuned)).deleted

    with pytest.raises(NotFoundError) as gone:
        await desk.openai.models.retrieve(tuned)
    assert gone.value.code == "model_not_found"
    with pytest.raises(PermissionDeniedError):
        await desk.openai.models.delete(desk.model)


async def test_a_model_answers_under_the_name_that_it_was_asked_by(desk: Desk) -> None:
    tuned = await given.tuned(desk)

    for name, expected in ((tuned, "say 3"), ("sim-base", "I do not know.")):
        said = await desk.openai.chat.completions.create(model=name, messages=ASKED)
        assert (said.model, said.choices[0].message.content) == (name, expected)


async def test_an_answer_streams(desk: Desk) -> None:
    tuned = await given.tuned(desk)

    stream = await desk.openai.chat.completions.create(model=tuned, messages=ASKED, stream=True)
    chunks = [chunk async for chunk in stream]

    assert {chunk.model for chunk in chunks} == {tuned}
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["say", "3"]


async def test_a_request_that_lacks_something_is_refused(desk: Desk) -> None:
    with pytest.raises(BadRequestError) as empty:
        await desk.openai.chat.completions.create(model=desk.model, messages=[])
    with pytest.raises(NotFoundError) as unknown:
        await desk.openai.chat.completions.create(model="gpt-0", messages=ASKED)

    assert (empty.value.param, unknown.value.code) == ("messages", "model_not_found")


async def test_what_breaks_before_the_first_word_is_an_answer_of_its_own(desk: Desk) -> None:
    vendor = desk.backend.provider
    assert isinstance(vendor, SimulatedProvider)
    vendor.order("chat", "lose")

    with pytest.raises(APIError) as broken:
        await desk.openai.chat.completions.create(model=desk.model, messages=ASKED, stream=True)

    assert broken.value.type == "server_error"
