"""Models from disk or hub into memory, with what must be known to speak to them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
)

from app.providers.local.inference.errors import InferenceRejected
from app.providers.local.rendering import Unrenderable, ensure_template, render_example

# Rotary position codes that stay the same however long the batch's longest row grows. With any
# other code an answer could depend on its neighbours, so such models answer one by one.
_STEADY_POSITIONS = frozenset({"default", "linear", "llama3", "yarn"})
_NO_LIMIT = 10_000_000  # tokenizers write 1e30 where they know of none


@dataclass(frozen=True, slots=True)
class Voice:
    """A model that can be asked: weights, tokenizer with its chat template, limits."""

    weights: PreTrainedModel
    tokenizer: Any
    stop_tokens: frozenset[int]
    context_length: int | None
    """Tokens of prompt and answer together; None where the model names no limit."""
    batches: bool
    """Whether an answer is the same alone and in a batch with others."""


def choose_device() -> torch.device:
    """The fastest device there is: CUDA, then Apple's, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def load_voice(location: str, device: torch.device) -> Voice:
    """A whole model, bfloat16 on an accelerator and float32 on the CPU.

    Raises InferenceRejected (404) when there is none at `location`; whatever else goes wrong
    comes as the libraries raise it.
    """
    _require_model(location)
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    weights: Any = AutoModelForCausalLM.from_pretrained(
        location, dtype=dtype, device_map=str(device)
    )
    weights.eval()
    stops = _as_set(weights.generation_config.eos_token_id)
    # Penalties that the model's author set as defaults would change what a request asks for.
    weights.generation_config = GenerationConfig()
    tokenizer = _load_tokenizer(location)
    return Voice(
        weights,
        tokenizer,
        stops | _turn_ends(tokenizer),
        _context_length(weights.config, tokenizer),
        _has_steady_positions(weights.config),
    )


def with_tokenizer_of(folder: Path, voice: Voice) -> Voice:
    """The voice with the tokenizer that was saved beside an adapter, if one was."""
    if not (folder / "tokenizer_config.json").is_file():
        return voice
    tokenizer = _load_tokenizer(str(folder))
    stops = voice.stop_tokens | _turn_ends(tokenizer)
    return replace(voice, tokenizer=tokenizer, stop_tokens=stops)


def base_of(folder: Path) -> str:
    """The base model that an adapter names; InferenceRejected (404) when there is no adapter."""
    if not (folder / "adapter_config.json").is_file():
        raise model_not_found(f"{folder} holds no adapter_config.json.")
    base: str | None = PeftConfig.from_pretrained(str(folder)).base_model_name_or_path
    if not base:
        raise ValueError(f"{folder}/adapter_config.json names no base_model_name_or_path.")
    return base


def model_not_found(reason: str) -> InferenceRejected:
    """There is no such model."""
    return InferenceRejected(404, "model_not_found", reason, param="model")


def _require_model(location: str) -> None:
    folder = Path(location)
    if (folder / "config.json").is_file():
        return
    if folder.is_absolute():
        raise model_not_found(f"{location} holds no config.json.")
    try:
        PreTrainedConfig.get_config_dict(location)
    except (OSError, ValueError) as error:
        raise model_not_found(f"There is no model {location!r}: {error}") from error


def _load_tokenizer(location: str) -> Any:
    tokenizer: Any = AutoTokenizer.from_pretrained(location)
    ensure_template(tokenizer)
    return tokenizer


def _turn_ends(tokenizer: Any) -> frozenset[int]:
    """The end of sequence, and the token with which the template closes the assistant's turn."""
    ends = _as_set(tokenizer.eos_token_id)
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    try:
        last = render_example(tokenizer, turns).input_ids[-1]
    except Unrenderable:
        return ends
    return ends | ({last} & set(tokenizer.all_special_ids))


def _as_set(tokens: int | list[int] | None) -> frozenset[int]:
    if tokens is None:
        return frozenset()
    return frozenset([tokens] if isinstance(tokens, int) else tokens)


def _context_length(config: PreTrainedConfig, tokenizer: Any) -> int | None:
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    limit = limit or tokenizer.model_max_length
    return int(limit) if limit < _NO_LIMIT else None


def _has_steady_positions(config: PreTrainedConfig) -> bool:
    codes: Any = getattr(config.get_text_config(), "rope_parameters", None)
    if not codes:
        return False
    # Some models have one code for all layers, others one for each kind of layer.
    kinds = list(codes.values()) if isinstance(next(iter(codes.values())), dict) else [codes]
    return all(kind.get("rope_type", "default") in _STEADY_POSITIONS for kind in kinds)
