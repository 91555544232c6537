"""Models in memory: what is shared, what goes first, what ends an answer."""

from pathlib import Path

import pytest
import torch

from app.providers.local.inference.errors import InferenceRejected
from app.providers.local.inference.events import Event, Finished, Said
from app.providers.local.inference.generation import Row, generate
from app.providers.local.inference.handles import ModelHandle
from app.providers.local.inference.loading import Voice
from app.providers.local.inference.shelf import ModelShelf
from app.providers.local.inference.text import TextStream
from app.providers.local.rendering import render_prompt


@pytest.fixture
def shelf() -> ModelShelf:
    return ModelShelf(torch.device("cpu"), max_models=1, max_adapters=1)


def row_for(
    voice: Voice,
    events: list[Event],
    *,
    stop_tokens: frozenset[int] = frozenset(),
    cancelled: bool = False,
) -> Row:
    return Row(
        render_prompt(voice.tokenizer, [{"role": "user", "content": "Hello"}]),
        limit=20,
        stop_tokens=stop_tokens,
        text=TextStream(voice.tokenizer),
        chooser=None,
        deliver=events.append,
        cancelled=lambda: cancelled,
    )


def answer(voice: Voice) -> str:
    events: list[Event] = []
    generate(voice.weights, [row_for(voice, events)])
    return text_of(events)


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Said))


def test_the_adapter_unused_for_longest_goes_first(
    shelf: ModelShelf, base_folder: Path, adapter_folders: list[Path]
) -> None:
    answers: list[str] = []
    for folder in [*adapter_folders, adapter_folders[0]]:
        with shelf.open(ModelHandle.adapter(folder)) as voice:
            answers.append(answer(voice))
        assert [a["model"] for a in shelf.report[0]["adapters"]] == [f"adapter:{folder}"]

    assert answers[0] == answers[2] != answers[1]
    assert shelf.report[0]["model"] == f"base:{base_folder}"


def test_the_model_unused_for_longest_goes_first(
    shelf: ModelShelf, base_folder: Path, endless_folder: Path
) -> None:
    for folder in (base_folder, endless_folder):
        with shelf.open(ModelHandle.base(folder)):
            assert [base["model"] for base in shelf.report] == [f"base:{folder}"]


def test_an_adapter_that_loads_by_half_leaves_its_base_as_it_was(
    shelf: ModelShelf, base_folder: Path, adapter_folders: list[Path], tmp_path: Path
) -> None:
    with shelf.open(ModelHandle.base(base_folder)) as voice:
        before = answer(voice)
    torn = tmp_path / "torn"
    torn.mkdir()
    config = (adapter_folders[0] / "adapter_config.json").read_bytes()
    (torn / "adapter_config.json").write_bytes(config)
    (torn / "adapter_model.safetensors").write_bytes(b"torn")

    with pytest.raises(InferenceRejected), shelf.open(ModelHandle.adapter(torn)):
        pass

    with shelf.open(ModelHandle.base(base_folder)) as voice:
        assert answer(voice) == before


def test_the_end_of_turn_is_known_from_the_template(shelf: ModelShelf, base_folder: Path) -> None:
    with shelf.open(ModelHandle.base(base_folder)) as voice:
        assert voice.stop_tokens == {voice.tokenizer.convert_tokens_to_ids("<|im_end|>")}


def test_the_end_of_turn_ends_the_answer_and_is_counted(
    shelf: ModelShelf, base_folder: Path
) -> None:
    events: list[Event] = []
    with shelf.open(ModelHandle.base(base_folder)) as voice:
        row = row_for(voice, events, stop_tokens=voice.stop_tokens)

        for token in [*voice.tokenizer.encode("fox"), *voice.stop_tokens, 40]:
            row.accept(token)

    assert text_of(events) == "fox"
    assert events[-1] == Finished("stop", len(voice.tokenizer.encode("fox")) + 1)


def test_a_cancelled_answer_says_nothing_more(shelf: ModelShelf, base_folder: Path) -> None:
    events: list[Event] = []
    with shelf.open(ModelHandle.base(base_folder)) as voice:
        row = row_for(voice, events, cancelled=True)

        generate(voice.weights, [row])

    assert row.ended
    assert events == []
