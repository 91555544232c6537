"""Build the tiny base model from nothing: its text, its tokenizer, its weights.

    python scripts/build_tiny_model.py --out app/providers/local/luthier_tiny

Needs the `local` extra and no network. On two CPU cores it takes about twenty minutes. The same
seed, thread count and library versions give the same weights.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from tiny_corpus.stream import texts
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

END_OF_TEXT, START, END, PAD = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"
VOCABULARY = 2_048
CONTEXT = 512
SEQUENCE = 256
BATCH = 32
PEAK_RATE = 3e-3
WARMUP_STEPS = 50
TOKENIZER_TEXTS = 25_000
HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parent / "app" / "providers" / "local" / "luthier_tiny"


@dataclass(frozen=True)
class Build:
    """What one build was asked for."""

    out: Path
    steps: int
    seed: int
    threads: int


def main() -> None:
    build = _arguments()
    torch.set_num_threads(build.threads)
    torch.manual_seed(build.seed)
    tokenizer = train_tokenizer(build.seed)
    tokens = encode_corpus(tokenizer, count=build.steps * BATCH * SEQUENCE, seed=build.seed)
    model = LlamaForCausalLM(shape(tokenizer))
    print(f"{model.num_parameters():,} parameters, {len(tokens):,} tokens", flush=True)
    train(model, tokens, steps=build.steps)
    save(model, tokenizer, build.out)


def train_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of `VOCABULARY` entries with single digits."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END_OF_TEXT, START, END, PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_plain_texts(seed, count=TOKENIZER_TEXTS), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens=[END_OF_TEXT, START],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        chat_template=(HERE / "tiny_corpus" / "chat_template.jinja").read_text(),
    )


def encode_corpus(tokenizer: PreTrainedTokenizerFast, *, count: int, seed: int) -> torch.Tensor:
    """The first `count` token ids of the corpus as one int64 vector."""
    tokens: list[int] = []
    stream = _rendered_texts(tokenizer, seed)
    while len(tokens) < count:
        for ids in tokenizer(list(islice(stream, 2_000))).input_ids:
            tokens += ids
    return torch.tensor(tokens[:count])


def shape(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """The configuration of a Llama with two million parameters."""
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=3,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=_id(tokenizer, END),
        pad_token_id=_id(tokenizer, PAD),
    )


def train(model: LlamaForCausalLM, tokens: torch.Tensor, *, steps: int) -> None:
    """One pass over `tokens`; prints the mean loss in nats of every 50 steps."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.1
    )
    batches = tokens.view(-1, SEQUENCE)
    batches = batches[torch.randperm(len(batches))].view(steps, BATCH, SEQUENCE)
    started = time.monotonic()
    losses: list[float] = []
    for step, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * _rate_factor(step, steps)
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach().item())
        if step % 50 == 0 or step == steps - 1:
            mean = sum(losses[-50:]) / len(losses[-50:])
            print(f"step {step} loss {mean:.3f} {time.monotonic() - started:.0f} s", flush=True)


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write the weights in bf16 with everything that loading and generating need."""
    out.mkdir(parents=True, exist_ok=True)
    model.generation_config = GenerationConfig(
        do_sample=False,
        eos_token_id=[_id(tokenizer, END), _id(tokenizer, END_OF_TEXT)],
        pad_token_id=_id(tokenizer, PAD),
    )
    model.bfloat16().save_pretrained(out)
    tokenizer.save_pretrained(out)
    for file in out.iterdir():
        file.chmod(0o644)


def _id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    return tokenizer.get_vocab()[token]


def _rate_factor(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth."""
    if step < WARMUP_STEPS:
        return (step + 1) / WARMUP_STEPS
    done = (step - WARMUP_STEPS) / max(1, steps - WARMUP_STEPS)
    return 0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2


def _rendered_texts(tokenizer: PreTrainedTokenizerFast, seed: int) -> Iterator[str]:
    for text in texts(seed):
        if isinstance(text, str):
            yield text + END_OF_TEXT
        else:
            yield str(tokenizer.apply_chat_template(text, tokenize=False)) + END_OF_TEXT


def _plain_texts(seed: int, *, count: int) -> Iterator[str]:
    for text in islice(texts(seed), count):
        yield text if isinstance(text, str) else "\n".join(turn["content"] for turn in text)


def _arguments() -> Build:
    parser = argparse.ArgumentParser(description="Build the tiny base model.")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--steps", type=int, default=1_000, help=f"of {BATCH * SEQUENCE} tokens")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    return Build(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
