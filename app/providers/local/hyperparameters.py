"""The hyperparameters of a local training: their bounds, and what `auto` means for them."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from app.domain.catalogue import Bound
from app.domain.errors import Fault
from app.domain.provider import Epochs

Device = Literal["cpu", "cuda"]
Adapter = Literal["lora", "qlora", "full"]
Method = Literal["sft", "dpo"]
Scheduler = Literal["linear", "cosine", "constant"]

CPU_LENGTH = 2048
"""Tokens of an example that are kept on a machine without a GPU unless more are asked for."""

# Assumed where neither a config nor the weights tell a model's size.
_UNKNOWN_PARAMETERS = 1_000_000_000


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """What a training may use: `memory_bytes` is the device's whole memory, or the run's limit."""

    device: Device
    memory_bytes: int
    threads: int
    bfloat16: bool = False
    bitsandbytes: bool = False


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """The hyperparameters as used; the effective batch is batch_size x accumulation steps."""

    epochs: float
    batch_size: int
    gradient_accumulation_steps: int
    learning_rate: float
    adapter: Adapter
    lora_rank: int
    lora_alpha: float
    lora_dropout: float
    max_length: int
    warmup_ratio: float
    weight_decay: float
    scheduler: Scheduler
    beta: float
    checkpoint_every: int
    total_steps: int
    gradient_checkpointing: bool
    device: Device
    dtype: Literal["float32", "bfloat16"]
    threads: int


BOUNDS: dict[str, Bound] = {
    "epochs": Bound(low=0, is_above=True, high=100),
    "batch_size": Bound(low=1, high=1024, is_whole=True),
    "gradient_accumulation_steps": Bound(low=1, high=1024, is_whole=True),
    "learning_rate": Bound(low=0, is_above=True, high=1),
    "adapter": Bound(choices=["lora", "qlora", "full"]),
    "lora_rank": Bound(low=1, high=1024, is_whole=True),
    "lora_alpha": Bound(low=0, is_above=True, high=4096),
    "lora_dropout": Bound(low=0, high=0.9),
    "max_length": Bound(low=8, high=1_048_576, is_whole=True),
    "warmup_ratio": Bound(low=0, high=0.9),
    "weight_decay": Bound(low=0, high=1),
    "scheduler": Bound(choices=["linear", "cosine", "constant"]),
    "beta": Bound(low=0, is_above=True, high=10),
    "checkpoint_every": Bound(low=1, high=1_000_000, is_whole=True),
}


SFT_BOUNDS = {name: bound for name, bound in BOUNDS.items() if name != "beta"}
"""Without the one that preferences alone have."""


def faults(asked: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with hyperparameters as asked; pointers are relative to them (`/epochs`)."""
    found: list[Fault] = []
    for name, value in asked.items():
        if name not in BOUNDS:
            message = f"There is no hyperparameter {name}; there are: {', '.join(BOUNDS)}."
            found.append(Fault("unknown_hyperparameter", message, pointer=_pointer(name)))
        elif not BOUNDS[name].admits(value):
            message = f"{name} must be {BOUNDS[name]}."
            found.append(Fault("hyperparameter_out_of_bounds", message, pointer=_pointer(name)))
    return found


def resolve(
    asked: Mapping[str, Any],
    *,
    method: Method,
    parameters: int | None,
    context_length: int | None,
    hardware: Hardware,
    examples: int,
    continues_adapter: bool = False,
) -> Effective:
    """Fill in every `auto` (or absent) value from the model's size, the data and the hardware.

    `asked` has no `faults`. What was asked is never changed, except that a length beyond the
    model's context is brought down to it.
    """
    size = parameters or _UNKNOWN_PARAMETERS
    asked = {name: value for name, value in asked.items() if value != "auto"}

    def given(name: str, rule: Callable[[], Any]) -> Any:
        return asked[name] if name in asked else rule()

    adapter = given("adapter", lambda: _adapter(size, hardware, continues_adapter))
    batch, micro_batch = _batches(asked, size, adapter, examples)
    accumulation = given("gradient_accumulation_steps", lambda: max(1, batch // micro_batch))
    epochs = given("epochs", lambda: _epochs(size, adapter, method))
    per_epoch = math.ceil(math.ceil(examples / micro_batch) / accumulation)
    steps = max(1, math.ceil(epochs * per_epoch))
    rank = given("lora_rank", lambda: 16)
    return Effective(
        epochs=float(epochs),
        batch_size=micro_batch,
        gradient_accumulation_steps=accumulation,
        learning_rate=given("learning_rate", lambda: _learning_rate(size, adapter, method)),
        adapter=adapter,
        lora_rank=rank,
        lora_alpha=given("lora_alpha", lambda: 2.0 * rank),
        lora_dropout=given("lora_dropout", lambda: _lora_dropout(examples)),
        max_length=_max_length(asked.get("max_length"), context_length, hardware),
        warmup_ratio=given("warmup_ratio", lambda: 0.05),
        weight_decay=given("weight_decay", lambda: 0.0),
        scheduler=given("scheduler", lambda: "linear"),
        beta=given("beta", lambda: 0.1),
        checkpoint_every=given("checkpoint_every", lambda: _checkpoint_every(steps)),
        total_steps=steps,
        gradient_checkpointing=hardware.device == "cuda" and size >= 1_000_000_000,
        device=hardware.device,
        dtype="bfloat16" if hardware.bfloat16 and hardware.device == "cuda" else "float32",
        threads=hardware.threads,
    )


def expected_epochs(asked: Mapping[str, Any], *, method: str, parameters: int | None) -> Epochs:
    """What was asked for, or the least and the most that `auto` chooses on any machine."""
    given = asked.get("epochs", "auto")
    if given != "auto":
        return Epochs(given, given)
    kind: Method = "dpo" if method == "dpo" else "sft"
    size = parameters or _UNKNOWN_PARAMETERS
    chosen = [_epochs(size, adapter, kind) for adapter in ("full", "lora")]
    return Epochs(min(chosen), max(chosen))


def _adapter(size: int, hardware: Hardware, continues_adapter: bool) -> Adapter:
    """Full below 300 M parameters where it fits, LoRA above, QLoRA where memory is short.

    A small model has little room for a low-rank change and costs little to train whole; above
    that LoRA learns as well from sets of fine-tuning's usual size, with a fraction of the memory.
    Full training takes 16 bytes a parameter (weights, gradients, two moments in float32), a LoRA
    base 2 (bfloat16) or 4, a quantised one about 0.7; a quarter is kept for activations.
    """
    room = hardware.memory_bytes * 0.75
    base_bytes = 2 if hardware.device == "cuda" and hardware.bfloat16 else 4
    if size < 300_000_000 and size * 16 < room and not continues_adapter:
        return "full"
    if size * base_bytes < room or hardware.device != "cuda" or not hardware.bitsandbytes:
        return "lora"
    return "qlora"


def _learning_rate(size: int, adapter: Adapter, method: Method) -> float:
    """Smaller for larger models, about ten times larger for LoRA; a tenth for preferences.

    The ends were measured on a model of 2 M parameters (5e-4 full, 5e-3 LoRA: the usual LoRA
    rates learn nothing there); the rest is the field's custom (8 B: 1e-5 full, 2e-4 LoRA).
    DPO starts from a model that can already do the task and leaves it with larger steps.
    """
    full = [(2e6, 5e-4), (1e8, 1e-4), (1e9, 2e-5), (8e9, 1e-5), (7e10, 5e-6)]
    lora = [(2e6, 5e-3), (1e8, 1e-3), (1e9, 3e-4), (8e9, 2e-4), (7e10, 1e-4)]
    rate = _interpolate(full if adapter == "full" else lora, size)
    return float(f"{rate if method == 'sft' else rate / 10:.2g}")


def _epochs(size: int, adapter: Adapter, method: Method) -> float:
    """Fewer for larger models, which learn (and overfit) from fewer passes; half for DPO."""
    full = [(2e6, 6.0), (1e8, 4.0), (1e9, 3.0)]
    lora = [(2e6, 8.0), (1e8, 5.0), (1e9, 3.0)]
    epochs = round(_interpolate(full if adapter == "full" else lora, size))
    return float(epochs if method == "sft" else math.ceil(epochs / 2))


def _batches(
    asked: Mapping[str, Any], size: int, adapter: Adapter, examples: int
) -> tuple[int, int]:
    """The batch of one update, and how many examples of it go through the model at once.

    8 for full training of a small model, else 16; never so many that an epoch has under 8
    updates. At once go fewer where each example's activations weigh more.
    """
    wanted = 8 if adapter == "full" and size < 100_000_000 else 16
    batch = asked.get("batch_size") or max(1, min(wanted, examples // 8))
    at_once = batch if size < 500_000_000 else 4 if size < 4_000_000_000 else 2
    # An asked batch size is what goes through at once; accumulation then is the asker's too.
    micro_batch = batch if "batch_size" in asked else min(batch, at_once)
    return batch, micro_batch


def _lora_dropout(examples: int) -> float:
    """A little against learning by heart where there is little data, none where there is much."""
    return 0.05 if examples < 10_000 else 0.0


def _max_length(asked: int | None, context_length: int | None, hardware: Hardware) -> int:
    """The context, but no more than 4,096 tokens on a GPU and 2,048 on a CPU unless asked for.

    Batches are padded to their own longest example, so this only bounds the outliers, whose
    activations decide whether the memory suffices.
    """
    wanted = asked or (4096 if hardware.device == "cuda" else CPU_LENGTH)
    return min(wanted, context_length or wanted)


def _checkpoint_every(steps: int) -> int:
    """Ten checkpoints in a run: a crash costs a tenth of it, and writing them next to nothing."""
    return max(10, min(500, math.ceil(steps / 10)))


def _interpolate(anchors: list[tuple[float, float]], size: float) -> float:
    """The value at `size`, straight between anchors on logarithmic axes, level outside them."""
    (left, value), *rest = anchors
    if size <= left:
        return value
    for right, next_value in rest:
        if size <= right:
            share = math.log(size / left) / math.log(right / left)
            return value * (next_value / value) ** share
        left, value = right, next_value
    return value


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
