"""The processes that this provider starts: their environment, and how they give way."""

import os
import resource
from pathlib import Path

import app

# Between 0 (as any process) and 1000 (first of all): before the service, after nothing in use.
OOM_SCORE = "500"
NICENESS = 10


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


def be_modest(*, threads: int | None, memory_limit_bytes: int | None) -> None:
    """Let this process give way to the service: in CPU time, in the kernel's choice of a victim,
    in memory. To be called before the heavy libraries are loaded.
    """
    os.nice(NICENESS)
    _write_oom_score()
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)
    # One training uses one GPU; TRL refuses a process that sees several.
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[0]
    if memory_limit_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_limit_bytes, memory_limit_bytes))


def _write_oom_score() -> None:
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text(OOM_SCORE)
