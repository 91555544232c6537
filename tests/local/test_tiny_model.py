"""The shipped base model and the demo data that is trained on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "app" / "providers" / "local" / "luthier_tiny"
DEMO = ROOT / "app" / "cli" / "demo_data"
HELD_OUT = [
    "feedback/test.jsonl",
    "feedback/unseen.jsonl",
    "feedback/handwritten.jsonl",
    "brand_voice/test.jsonl",
]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL, local_files_only=True)


def test_the_shipped_folder_stays_small() -> None:
    sizes = {file.name: file.stat().st_size for file in MODEL.iterdir()}

    assert sizes["model.safetensors"] < 5_000_000
    assert sum(sizes.values()) < 10_000_000


def test_the_model_answers_a_chat_and_stops(tokenizer: Any) -> None:
    model: Any = AutoModelForCausalLM.from_pretrained(MODEL, local_files_only=True)
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Sum this up.\n\nI was billed twice."}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )

    answer = model.generate(**asked, max_new_tokens=60)[0, asked["input_ids"].shape[1] :]

    assert model.num_parameters() == 2_016_960
    assert int(answer[-1]) == tokenizer.eos_token_id
    assert "charged twice" in tokenizer.decode(answer)


def test_the_loss_falls_on_what_the_assistant_says_and_its_end_mark(tokenizer: Any) -> None:
    chat = [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": None},
        {"role": "tool", "content": "{}"},
        {"role": "assistant", "content": "Nils."},
    ]

    encoded = tokenizer.apply_chat_template(
        chat, return_dict=True, return_assistant_tokens_mask=True
    )

    pairs = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
    assert tokenizer.decode([token for token, said in pairs if said]) == (
        "<|im_end|>Nils.<|im_end|>"
    )


def test_a_prompt_ends_where_the_assistant_begins(tokenizer: Any) -> None:
    chat = [{"role": "user", "content": "Who?"}]

    prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)

    assert prompt == "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n"


def test_a_tool_call_is_written_out_for_the_model(tokenizer: Any) -> None:
    call = {"type": "function", "function": {"name": "find_order", "arguments": {"order": 7}}}
    chat = [{"role": "assistant", "content": None, "tool_calls": [call]}]

    text = tokenizer.apply_chat_template(chat, tokenize=False)

    assert '<tool_call>{"name": "find_order", "arguments": {"order": 7}}</tool_call>' in text


@pytest.mark.parametrize(
    "text",
    ["  two spaces, a\ttab\nand a line ", "billing.double_charge", "Ærø, Köln, 東京 🎻", "1042"],
)
def test_the_tokenizer_gives_back_every_text(tokenizer: Any, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("held_out", HELD_OUT)
def test_no_held_out_input_is_trained_on(held_out: str) -> None:
    trained = _prompts(DEMO / held_out.partition("/")[0] / "train.jsonl")

    shared = _prompts(DEMO / held_out) & trained

    assert shared == set()


def test_the_demo_data_is_built_to_the_same_bytes_as_shipped(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "build_demo_data.py"

    subprocess.run([sys.executable, str(script), "--out", str(tmp_path)], check=True)

    assert _contents(tmp_path) == _contents(DEMO)


def test_the_text_of_the_small_world_is_the_same_for_the_same_seed() -> None:
    assert _corpus(seed=7) == _corpus(seed=7)
    assert _corpus(seed=7) != _corpus(seed=8)


def test_the_corpus_never_names_a_category_of_the_demo() -> None:
    train = (DEMO / "feedback" / "train.jsonl").read_text().splitlines()
    categories = {cast("str", json.loads(line)["completion"]) for line in train}

    corpus = _corpus(seed=7)

    assert len(categories) == 10
    assert not [name for name in categories if name in corpus]


def _corpus(*, seed: int, count: int = 500) -> str:
    printing = (
        "import json, sys; from itertools import islice; from tiny_corpus.stream import texts;"
        "print(json.dumps(list(islice(texts(int(sys.argv[1])), int(sys.argv[2])))))"
    )
    command = [sys.executable, "-c", printing, str(seed), str(count)]
    return subprocess.run(
        command, cwd=ROOT / "scripts", capture_output=True, text=True, check=True
    ).stdout


def _prompts(path: Path) -> set[str]:
    return {json.loads(line)["prompt"].casefold() for line in path.read_text().splitlines()}


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.jsonl")}
