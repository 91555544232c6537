"""What runs in the cluster's container: Luthier's trainer, and a way out for what it writes.

    python -m app.providers.azure_ml.container --training FILE --run FOLDER --model FOLDER

`LUTHIER_SPEC` holds what to train, as JSON. The trainer works on the container's own disk, since
mounted storage has no locks; its journal goes to the `--run` folder while it works, its outcome
and log at the end, and the tuned model to `--model`.
"""

import argparse
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Any

RELAY_SECONDS = 15.0

JOURNAL, OUTCOME, LOG = "events.jsonl", "result.json", "log.txt"

_LOCAL = "app.providers.local"
_PACKAGED = "luthier-tiny"


def main() -> int:
    """Train; the exit status is 0 only where a model was left."""
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="luthier-") as folder:
        run = Path(folder)
        _prepare(run, given)
        done = threading.Event()
        relay = threading.Thread(target=_relay, args=(run, given.run, done))
        relay.start()
        try:
            status = _train(run)
        finally:
            done.set()
            relay.join()
        return _hand_over(run, given) or status


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.providers.azure_ml.container")
    for name in ("training", "run", "model"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("validation", "parent"):
        parser.add_argument(f"--{name}", type=Path)
    return parser.parse_args()


def _prepare(run: Path, given: argparse.Namespace) -> None:
    """The folder that the trainer expects; an earlier node's journal is gone on with."""
    (run / "launches").mkdir()
    (run / "launches" / "1").write_text(str(time.time_ns()))
    shutil.copyfile(given.training, run / "train.jsonl")
    if given.validation is not None:
        shutil.copyfile(given.validation, run / "validation.jsonl")
    spec = json.loads(os.environ["LUTHIER_SPEC"])
    (run / "spec.json").write_text(json.dumps(spec | _source(spec["model"], given.parent)))
    given.run.mkdir(parents=True, exist_ok=True)
    if (given.run / JOURNAL).exists():
        shutil.copyfile(given.run / JOURNAL, run / JOURNAL)


def _source(model: str, parent: Path | None) -> dict[str, str]:
    """What to load. A tuned model to go on from is an adapter, or a model of its own."""
    if model == _PACKAGED:
        model = str(files(_LOCAL).joinpath("luthier_tiny"))
    if parent is None:
        return {"model": model}
    if (parent / "adapter_config.json").exists():
        return {"model": model, "adapter_from": str(parent)}
    return {"model": str(parent)}


def _train(run: Path) -> int:
    """The trainer's exit status; what ends this process ends the trainer first."""
    with (run / "lock").open("w") as lock, (run / LOG).open("ab") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "-m", f"{_LOCAL}.trainer", str(run), str(lock.fileno())]
        process = subprocess.Popen(
            command, stdout=log, stderr=log, pass_fds=(lock.fileno(),), start_new_session=True
        )

        def end(_number: int, _frame: FrameType | None) -> None:
            process.terminate()

        signal.signal(signal.SIGTERM, end)
        return process.wait()


def _relay(run: Path, out: Path, done: threading.Event) -> None:
    """Show the journal outside for as long as the training goes on, and once more at its end."""
    is_over = False
    while not is_over:
        is_over = done.wait(RELAY_SECONDS)
        if (run / JOURNAL).exists():
            shutil.copyfile(run / JOURNAL, out / JOURNAL)


def _hand_over(run: Path, given: argparse.Namespace) -> int:
    """Put the model, the log and the outcome where they outlive the container; 1 for a failure."""
    shutil.copyfile(run / LOG, given.run / LOG)
    # For the job's page in the studio, which shows what is printed.
    sys.stdout.write((run / LOG).read_text(errors="replace"))
    if not (run / OUTCOME).exists():
        return 1
    outcome: dict[str, Any] = json.loads((run / OUTCOME).read_bytes())
    artifact = outcome.get("artifact")
    if artifact is not None:
        shutil.copytree(run / artifact["path"], given.model, dirs_exist_ok=True)
    # Last, for whoever finds an outcome takes the rest for there.
    shutil.copyfile(run / OUTCOME, given.run / OUTCOME)
    return 0 if outcome["outcome"] == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main())
