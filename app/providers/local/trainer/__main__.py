"""The first moments of a trainer: say who it is, be modest, then load the heavy libraries."""

import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

from app.providers.local.trainer.session import run
from app.providers.local.trainer.stopping import StopSwitch

HEARTBEAT_SECONDS = 5.0
# Between 0 (as any process) and 1000 (first of all): before the service, after nothing in use.
OOM_SCORE = "500"
NICENESS = 10


def main() -> int:
    folder, lock = Path(sys.argv[1]), int(sys.argv[2])
    # A process that this one might start must not keep the run looking alive.
    os.set_inheritable(lock, False)
    marker = _introduce(folder)
    stop = StopSwitch()
    signal.signal(signal.SIGTERM, stop.press)
    _start_heartbeat([folder / "heartbeat", marker])
    _be_modest(json.loads((folder / "spec.json").read_bytes()))
    return run(folder, stop)


def _introduce(folder: Path) -> Path:
    """Write process.json and return the marker of this launch, which the launcher made."""
    launch = sum(1 for _ in (folder / "launches").glob("[0-9]*"))
    record = {"pid": os.getpid(), "started_at_ms": time.time_ns() // 1_000_000, "launch": launch}
    draft = folder / ".process.json"
    draft.write_text(json.dumps(record))
    draft.rename(folder / "process.json")
    return folder / "launches" / str(launch)


def _start_heartbeat(files: list[Path]) -> None:
    def beat() -> None:
        while True:
            for file in files:
                file.touch()
            time.sleep(HEARTBEAT_SECONDS)

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()


def _be_modest(spec: dict[str, int | None]) -> None:
    """Give way to the service: in CPU time, in the kernel's choice of a victim, in memory."""
    os.nice(NICENESS)
    _write_oom_score()
    if spec["threads"]:
        os.environ["OMP_NUM_THREADS"] = str(spec["threads"])
    # One training uses one GPU; TRL refuses a process that sees several.
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[0]
    limit = spec["memory_limit_bytes"]
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _write_oom_score() -> None:
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text(OOM_SCORE)


if __name__ == "__main__":
    sys.exit(main())
