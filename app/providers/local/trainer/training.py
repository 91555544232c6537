"""The training itself: TRL's loops with our rendering, our events and no files of their own."""

import math
from pathlib import Path
from typing import Any

import msgspec
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from app.providers.local.hyperparameters import Effective
from app.providers.local.records import RunSpec
from app.providers.local.trainer.callbacks import JournalCallback
from app.providers.local.trainer.loading import Models

# So that neither a short run is poor in points nor a long one drowns its readers.
POINTS = 300


class Material(msgspec.Struct, frozen=True):
    """What a trainer works on."""

    tokenizer: Any
    train: Any
    validation: Any | None


class _Sft(SFTTrainer):
    """Without the model card that TRL writes beside each checkpoint."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Nothing: the service writes the card."""


class _Dpo(DPOTrainer):
    """Over examples that are token ids already, without TRL's model card."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Nothing: the service writes the card."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset


def build_trainer(
    spec: RunSpec,
    effective: Effective,
    models: Models,
    material: Material,
    *,
    checkpoints: Path,
    callback: JournalCallback,
) -> Any:
    """A trainer for the run's method, which puts the adapter on the model."""
    arguments = _arguments(spec, effective, material, checkpoints)
    parts: dict[str, Any] = {
        "model": models.model,
        "train_dataset": material.train,
        "eval_dataset": material.validation,
        "processing_class": material.tokenizer,
        "callbacks": [callback],
        "peft_config": models.new_adapter,
    }
    if spec.method == "sft":
        skip: dict[str, Any] = {"dataset_kwargs": {"skip_prepare_dataset": True}}
        return _Sft(args=SFTConfig(**arguments, **skip), **parts)
    arguments["beta"] = effective.beta
    return _Dpo(args=DPOConfig(**arguments), ref_model=models.reference, **parts)


def _arguments(
    spec: RunSpec, effective: Effective, material: Material, checkpoints: Path
) -> dict[str, Any]:
    on_gpu = effective.device == "cuda"
    return {
        "output_dir": str(checkpoints),
        "seed": spec.seed,
        "data_seed": spec.seed,
        "num_train_epochs": effective.epochs,
        "per_device_train_batch_size": effective.batch_size,
        "per_device_eval_batch_size": effective.batch_size,
        "gradient_accumulation_steps": effective.gradient_accumulation_steps,
        "learning_rate": effective.learning_rate,
        "lr_scheduler_type": effective.scheduler,
        "warmup_steps": effective.warmup_ratio,
        "weight_decay": effective.weight_decay,
        "max_length": None,  # cut when rendered, where it is counted
        "gradient_checkpointing": effective.gradient_checkpointing,
        "bf16": effective.dtype == "bfloat16",
        "use_cpu": not on_gpu,
        "dataloader_pin_memory": on_gpu,
        "save_strategy": "steps",
        "save_steps": effective.checkpoint_every,
        "logging_first_step": True,
        "logging_steps": math.ceil(effective.total_steps / POINTS),
        "logging_nan_inf_filter": False,  # a loss that is no number must be seen
        "include_num_input_tokens_seen": "non_padding",
        "report_to": "none",
        "disable_tqdm": True,
        **_evaluation(effective, material),
    }


def _evaluation(effective: Effective, material: Material) -> dict[str, Any]:
    """Once an epoch, by steps: what is due at one step is then done before its checkpoint."""
    if material.validation is None:
        return {"eval_strategy": "no"}
    every = max(1, round(effective.total_steps / effective.epochs))
    return {"eval_strategy": "steps", "eval_steps": min(every, effective.total_steps)}
