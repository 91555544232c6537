"""The environment of the processes that this provider starts: trainers and the worker."""

import os
from pathlib import Path

import app


def environment() -> dict[str, str]:
    """The service's own environment, this package's place, and quiet libraries."""
    package_root = str(Path(app.__file__ or "").resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [package_root, inherited])),
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        # Threads that spin while they wait make a training on a busy machine many times slower.
        "OMP_WAIT_POLICY": "passive",
    }
