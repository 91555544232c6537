"""One launch from its first event to the result, however it ends."""

import traceback
from pathlib import Path

from app.providers.local.records import RunError, RunResult
from app.providers.local.runs import RunFolder
from app.providers.local.trainer import checkpoints
from app.providers.local.trainer.failures import explain, speaks_of_memory
from app.providers.local.trainer.findings import Findings
from app.providers.local.trainer.journal import Journal, write_result
from app.providers.local.trainer.stopping import Stopped, StopSwitch

# What a shell reports for a process that SIGTERM ended: there is no result, and the next launch
# goes on from the checkpoint.
STOPPED = 143
LAST_WORDS_BYTES = 300


def run(folder: Path, stop: StopSwitch) -> int:
    """Train, and leave result.json unless the training is to go on later; the exit status."""
    run_folder, findings = RunFolder(folder), Findings()
    try:
        journal = Journal(folder)
        journal.phase("starting")
        _heed_the_last_words(folder / "log.txt")
        # Loaded only here, so that running out of memory on the way is a failure like any other.
        from app.providers.local.trainer.pipeline import Pipeline

        Pipeline(run_folder, journal=journal, stop=stop, findings=findings).fine_tune()
    except Stopped:
        if not run_folder.cancel_requested():
            return STOPPED
        _close(run_folder, findings, cancelled=True)
    except Exception as error:  # noqa: BLE001 - the table of failures knows every kind
        traceback.print_exc()
        _close(run_folder, findings, error=explain(error))
        checkpoints.remove_torn(folder / "checkpoints")
    else:
        _close(run_folder, findings)
    return 0


def _heed_the_last_words(log: Path) -> None:
    """Raise MemoryError when an earlier launch died of it inside a library, which ends a process
    without an exception: this launch would only die of it again.
    """
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LAST_WORDS_BYTES))
        if speaks_of_memory(file.read().decode(errors="replace")):
            raise MemoryError("An earlier launch ended for want of memory.")


def _close(
    run_folder: RunFolder,
    findings: Findings,
    *,
    error: RunError | None = None,
    cancelled: bool = False,
) -> None:
    # The heart beats every few seconds only; the time until now counts too.
    (run_folder.path / "launches" / str(run_folder.launches())).touch()
    write_result(
        run_folder.path,
        RunResult(
            outcome="cancelled" if cancelled else "failed" if error else "succeeded",
            error=error,
            artifact=None if error or cancelled else findings.artifact,
            base=findings.base,
            effective=findings.effective,
            versions=findings.versions,
            steps=findings.steps,
            tokens=findings.tokens,
            wall_seconds=run_folder.wall_seconds(),
            weights_sha256=None if error or cancelled else findings.weights_sha256,
        ),
    )
