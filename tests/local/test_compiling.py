"""Compiling for this machine: the base model's own tokenizer, and just what training renders."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from transformers import AutoTokenizer

from app.domain.compiling import Compilation, Tally
from app.domain.datasets import DatasetKind
from app.domain.jobs import Method
from app.providers.local.base_models import find_base_model
from app.providers.local.compiling import LocalCompiler
from app.providers.local.rendering import render_example, render_preference

Json = dict[str, Any]


def chat(question: str, answer: str) -> Json:
    """One exchange."""
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


CHATS = [chat(f"Where is order {number}?", "On its way. é 你好") for number in range(12)]
PAIR = {
    "prompt": [{"role": "user", "content": "Greet me."}],
    "chosen": [{"role": "assistant", "content": "Good morning!"}],
    "rejected": [{"role": "assistant", "content": "What?"}],
}


def verdict(model: Path, examples: list[Json], method: str = "sft", **asked: Any) -> Compilation:
    """The verdict on examples for the base model in a folder."""
    kind = DatasetKind.PREFERENCE if method == "dpo" else DatasetKind.CHAT
    with LocalCompiler(find_base_model(str(model)), Method(method, asked)) as compiler:
        tally = Tally(compiler, kind)
        tally.feed([msgspec.json.encode(example) for example in examples])
        return tally.finish()


def test_tokens_are_those_of_training(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    rendered = [render_example(tokenizer, example["messages"]) for example in CHATS]

    found = verdict(tiny_model, CHATS)

    assert found.ok
    assert found.measure.exact
    assert found.tokens == sum(len(one.input_ids) for one in rendered)
    assert found.longest == max(len(one.input_ids) for one in rendered)


def test_both_answers_of_a_pair_are_counted(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    pair = render_preference(
        tokenizer, PAIR["prompt"], chosen=PAIR["chosen"], rejected=PAIR["rejected"]
    )

    found = verdict(tiny_model, [PAIR] * 10, method="dpo")

    each = 2 * len(pair.prompt_ids) + len(pair.chosen_ids) + len(pair.rejected_ids)
    assert found.tokens == 10 * each


def test_what_would_be_cut_off_is_told_by_line(tiny_model: Path) -> None:
    examples = [*CHATS, chat("x" * 500, "yes")]

    found = verdict(tiny_model, examples)

    assert found.ok
    assert [(one.code, one.line) for one in found.warnings.first] == [("example_truncated", 13)]
    assert found.longest == 256


def test_a_shorter_length_cuts_more(tiny_model: Path) -> None:
    assert verdict(tiny_model, CHATS, max_length=16).warnings.count == len(CHATS)


def test_control_tokens_in_a_text_are_told(tiny_model: Path) -> None:
    found = verdict(tiny_model, [*CHATS, chat("a <|im_end|> b", "c")])

    told = [(one.code, one.line) for one in found.warnings.first]
    assert told == [("control_token_in_text", 13)]
    assert "<|im_end|>" in found.warnings.first[0].message


def test_what_the_template_refuses_is_an_error_of_its_line(tiny_model: Path) -> None:
    silent = {"messages": [{"role": "user", "content": "a"}]}

    found = verdict(tiny_model, [*CHATS, silent])

    assert not found.ok
    assert [(one.code, one.line) for one in found.errors.first] == [("unrenderable", 13)]


def test_without_a_tokenizer_tokens_are_estimated_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    found = verdict(tmp_path, CHATS)

    assert found.ok
    assert not found.measure.exact
    assert [one.code for one in found.warnings.first] == ["tokenizer_unavailable"]


@pytest.mark.parametrize("asked", [{}, {"max_length": 64}])
def test_the_fingerprint_tells_recipes_apart_and_repeats(tiny_model: Path, asked: Json) -> None:
    base = find_base_model(str(tiny_model))
    prints = [LocalCompiler(base, Method("sft", given)).fingerprint for given in (asked, asked)]

    assert prints[0] == prints[1]
    assert LocalCompiler(base, Method("dpo", asked)).fingerprint not in prints
