"""The first moments of a trainer: say who it is, be modest, then load the heavy libraries."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from app.providers.local.children import be_modest
from app.providers.local.trainer.session import run
from app.providers.local.trainer.stopping import StopSwitch

HEARTBEAT_SECONDS = 5.0


def main() -> int:
    folder, lock = Path(sys.argv[1]), int(sys.argv[2])
    # A process that this one might start must not keep the run looking alive.
    os.set_inheritable(lock, False)
    marker = _introduce(folder)
    stop = StopSwitch()
    signal.signal(signal.SIGTERM, stop.press)
    _start_heartbeat([folder / "heartbeat", marker])
    spec = json.loads((folder / "spec.json").read_bytes())
    be_modest(threads=spec["threads"], memory_limit_bytes=spec["memory_limit_bytes"])
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


if __name__ == "__main__":
    sys.exit(main())
