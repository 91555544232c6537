"""A tiny random Llama with a byte-level tokenizer, built once, and data to train it on."""

import json
from pathlib import Path
from typing import Any

import pytest

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_tiny_model(folder: Path) -> None:
    """A Llama of about 100,000 parameters with a vocabulary of bytes and four control tokens."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({byte: index for index, byte in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        additional_special_tokens=["<|im_start|>", "<|endoftext|>"],
        chat_template=CHAT_TEMPLATE,
    )
    fast.save_pretrained(folder)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.token_to_id("<|im_end|>"),
        pad_token_id=tokenizer.token_to_id("<|pad|>"),
    )
    LlamaForCausalLM(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model, as from_pretrained takes it."""
    folder = tmp_path_factory.mktemp("base") / "tiny"
    write_tiny_model(folder)
    return folder


@pytest.fixture(scope="session")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty chats of two messages as JSON Lines."""
    return _write(tmp_path_factory, "chats.jsonl", [_chat(number) for number in range(40)])


@pytest.fixture(scope="session")
def preferences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty preference pairs as JSON Lines."""
    return _write(tmp_path_factory, "pairs.jsonl", [_preference(number) for number in range(40)])


def _write(factory: pytest.TempPathFactory, name: str, rows: list[dict[str, Any]]) -> Path:
    path = factory.mktemp("data") / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _chat(number: int) -> dict[str, Any]:
    prompt, answer = _question(number), {"role": "assistant", "content": f"It is {number * 7}."}
    return {"messages": [prompt, answer]}


def _preference(number: int) -> dict[str, Any]:
    return {
        "prompt": [_question(number)],
        "chosen": [{"role": "assistant", "content": f"It is {number * 7}."}],
        "rejected": [{"role": "assistant", "content": "No idea."}],
    }


def _question(number: int) -> dict[str, Any]:
    return {"role": "user", "content": f"What is seven times {number}?"}
