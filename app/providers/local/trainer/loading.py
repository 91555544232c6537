"""The tokenizer and the model that a run starts from, with whatever is to be trained on them."""

from pathlib import Path
from typing import Any

import msgspec
import torch
from peft import LoraConfig, PeftModel, TaskType
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

from app.providers.local import base_models, tokenizer
from app.providers.local.hyperparameters import Effective
from app.providers.local.records import RunBase, RunSpec
from app.providers.local.trainer.failures import BaseModelUnavailable
from app.providers.local.trainer.saving import weights_sha256


class Models(msgspec.Struct):
    """The model to train, the adapter that is still to be put on it, and DPO's reference.

    Without a reference of its own, DPO takes the model with its adapter off (or as it began).
    """

    model: Any
    new_adapter: LoraConfig | None = None
    reference: Any | None = None


def load_config(name: str) -> Any:
    """The base model's configuration, downloaded where it is not in the cache."""
    try:
        return AutoConfig.from_pretrained(name)
    except Exception as error:
        raise BaseModelUnavailable(f"The base model {name} cannot be found: {error}") from error


def load_tokenizer(name: str) -> Any:
    """The base model's tokenizer, as compiling loads it."""
    try:
        return tokenizer.load_tokenizer(name)
    except Exception as error:
        raise BaseModelUnavailable(f"The tokenizer of {name} cannot be loaded: {error}") from error


def load_models(spec: RunSpec, effective: Effective) -> Models:
    """All models that the run's method needs."""
    model = _load_base(spec.model, effective)
    if spec.adapter_from is not None:
        return Models(_load_adapter(model, spec.adapter_from))
    if effective.adapter != "full":
        return Models(model, new_adapter=_new_adapter(effective))
    needs_reference = spec.method == "dpo"
    return Models(model, reference=_load_base(spec.model, effective) if needs_reference else None)


def read_base(name: str) -> RunBase:
    """Which base model it is, for whoever wants to begin from the very same one."""
    folder = base_models.model_folder(name)
    if folder is None:
        return RunBase()
    has_weights = any(folder.glob("*.safetensors"))
    return RunBase(
        revision=None if Path(name).is_absolute() else folder.name,
        sha256=weights_sha256(folder) if has_weights else None,
    )


def read_adapter_config(folder: str) -> dict[str, Any]:
    """The configuration of a LoRA adapter."""
    try:
        return msgspec.json.decode((Path(folder) / "adapter_config.json").read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise BaseModelUnavailable(f"{folder} is no adapter's folder.") from error


def _load_base(name: str, effective: Effective) -> Any:
    options: dict[str, Any] = {"dtype": _weights_dtype(effective)}
    if effective.adapter == "qlora":
        options["quantization_config"] = _quantization(effective)
    if effective.device == "cuda":
        options["device_map"] = {"": 0}
    try:
        return AutoModelForCausalLM.from_pretrained(name, **options)
    except Exception as error:
        raise BaseModelUnavailable(f"The base model {name} cannot be loaded: {error}") from error


def _load_adapter(model: Any, folder: str) -> Any:
    """The base model with an earlier adapter on it, ready to be trained further."""
    try:
        return PeftModel.from_pretrained(model, folder, is_trainable=True)
    except Exception as error:
        raise BaseModelUnavailable(f"The adapter {folder} cannot be loaded: {error}") from error


def _new_adapter(effective: Effective) -> LoraConfig:
    """A LoRA adapter on every linear layer but the head, whose weights TRL reads directly."""
    return LoraConfig(
        r=effective.lora_rank,
        lora_alpha=effective.lora_alpha,  # pyright: ignore[reportArgumentType] - a float is fine
        lora_dropout=effective.lora_dropout,
        target_modules="all-linear",
        task_type=TaskType.CAUSAL_LM,
    )


def _weights_dtype(effective: Effective) -> torch.dtype:
    """float32 where the weights themselves are trained, else the hardware's precision.

    Updates smaller than bfloat16 can show would be lost; a frozen base has none.
    """
    return torch.float32 if effective.adapter == "full" else getattr(torch, effective.dtype)


def _quantization(effective: Effective) -> BitsAndBytesConfig:
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, effective.dtype),
    )
