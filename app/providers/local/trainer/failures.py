"""Every way in which a training fails, as one table: code, message, and what to change.

TrainingFailure
├── BaseModelUnavailable    the base model (or the adapter on it) cannot be loaded
├── MethodUnavailable       this machine lacks what the method needs
├── InvalidHyperparameters  what was asked is unknown or out of bounds
├── DatasetUnfit            an example that the model's chat template refuses
├── Diverged                the loss is no number any more
└── ArtifactUnusable        what was saved does not load or answer

Running out of memory or disk has many faces in the libraries; they are known by type, by errno
and by text, anywhere in the chain of causes.
"""

import errno
from collections.abc import Iterator
from typing import ClassVar

from app.providers.local.records import RunError


class TrainingFailure(Exception):
    """A failure with a name; what it says is for the person who asked for the training."""

    code: ClassVar[str]
    hint: ClassVar[str]


class BaseModelUnavailable(TrainingFailure):
    """The base model (or the adapter on it) cannot be loaded."""

    code = "base_model_unavailable"
    hint = (
        "Check the base model's name or folder; without a network it must be in the Hugging Face "
        "cache already."
    )


class MethodUnavailable(TrainingFailure):
    """This machine lacks what the method needs."""

    code = "method_unavailable"
    hint = "Choose adapter lora, or train on a machine with a CUDA GPU and bitsandbytes."


class InvalidHyperparameters(TrainingFailure):
    """What was asked is unknown or out of bounds."""

    code = "invalid_hyperparameters"
    hint = "Correct the hyperparameters, or leave them out: auto chooses by size and hardware."


class DatasetUnfit(TrainingFailure):
    """An example that the model's chat template refuses."""

    code = "dataset_unfit"
    hint = "Change the example, or choose a base model whose chat template takes such messages."


class Diverged(TrainingFailure):
    """The loss is no number any more."""

    code = "diverged"
    hint = "Lower learning_rate (a third is a good next try) or raise warmup_ratio."


class ArtifactUnusable(TrainingFailure):
    """What was saved does not load or answer."""

    code = "artifact_unusable"
    hint = "Start the training again; if it happens again, lower learning_rate."


MEMORY_TEXTS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "unable to allocate",
    "failed to allocate",
    "bad_alloc",
    "memory allocation still failed",
    "alloc_failed",
    "os error 12",
    "failed to map segment",
    "can't start new thread",
)
DISK_TEXTS = (
    "no space left on device",
    "disk quota exceeded",
    "os error 28",
    "os error 122",
    # torch.save reports a short write without its reason, in one of three ways.
    "pytorchstreamwriter failed writing",
    "unexpected pos ",
    "iostream error",
)
MEMORY_HINT = (
    "Lower batch_size (raise gradient_accumulation_steps to make up for it) or max_length, choose "
    "adapter lora or a smaller lora_rank, take a smaller base model, or raise the memory limit."
)
DISK_HINT = (
    "Free space where runs are kept (old runs and checkpoints are the largest), raise "
    "checkpoint_every, or choose adapter lora, whose checkpoints are small."
)


def explain(error: BaseException) -> RunError:
    """What went wrong, for a person; the traceback is for the log alone."""
    causes = list(_chain(error))
    if any(_is_out_of_memory(cause) for cause in causes):
        return RunError(
            code="out_of_memory", message="The training ran out of memory.", hint=MEMORY_HINT
        )
    if any(_is_disk_full(cause) for cause in causes):
        return RunError(code="disk_full", message="The disk is full.", hint=DISK_HINT)
    if isinstance(error, TrainingFailure):
        return RunError(code=error.code, message=str(error), hint=error.hint)
    return RunError(
        code="trainer_error",
        message=f"{type(error).__name__}: {last_line(error)}",
        hint="The run's log has the details.",
    )


def speaks_of_memory(text: str) -> bool:
    """Whether a message, or the end of a log, tells of too little memory."""
    return any(words in text.lower() for words in MEMORY_TEXTS)


def last_line(error: BaseException) -> str:
    """The last line of an error's message that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:500] if lines else "no message"


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or _errno(error) == errno.ENOMEM:
        return True
    return type(error).__name__ == "OutOfMemoryError" or speaks_of_memory(str(error))


def _is_disk_full(error: BaseException) -> bool:
    text = str(error).lower()
    return _errno(error) in {errno.ENOSPC, errno.EDQUOT} or any(w in text for w in DISK_TEXTS)


def _errno(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) else None
