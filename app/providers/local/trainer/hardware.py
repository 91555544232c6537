"""What this machine offers to a training, and which versions of the libraries do it."""

import importlib.metadata
import importlib.util
import os

import psutil
import torch

from app.providers.local.hyperparameters import Hardware


def find_hardware(*, threads: int | None, memory_limit_bytes: int | None) -> Hardware:
    """The GPU where there is one, else the CPU; memory in bytes, within the run's limit."""
    threads = threads or len(os.sched_getaffinity(0))
    if torch.cuda.is_available():
        return Hardware(
            device="cuda",
            memory_bytes=torch.cuda.get_device_properties(0).total_memory,
            threads=threads,
            bfloat16=torch.cuda.is_bf16_supported(),
            bitsandbytes=importlib.util.find_spec("bitsandbytes") is not None,
        )
    memory = psutil.virtual_memory().total
    return Hardware(
        device="cpu", memory_bytes=min(memory, memory_limit_bytes or memory), threads=threads
    )


def library_versions() -> dict[str, str]:
    """The versions that a result depends on."""
    return {
        name: importlib.metadata.version(name) for name in ("torch", "transformers", "trl", "peft")
    }
