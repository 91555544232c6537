"""What happens between two steps: events go out, checkpoints are sealed, a request stops it."""

import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState

from app.providers.local.trainer import checkpoints
from app.providers.local.trainer.failures import Diverged
from app.providers.local.trainer.findings import Findings
from app.providers.local.trainer.journal import Journal
from app.providers.local.trainer.stopping import StopSwitch

# What the libraries log beside the figures of the training itself.
_LEFT_OUT = ("epoch", "num_tokens", "num_input_tokens_seen", "total_flos", "_runtime", "_second")


class JournalCallback(TrainerCallback):
    """Binds the libraries' training loop to the run folder."""

    def __init__(self, journal: Journal, stop: StopSwitch, findings: Findings) -> None:
        self._journal = journal
        self._stop = stop
        self._findings = findings
        self._started = (0.0, 0)
        self._last = (0.0, 0)
        self._latest: tuple[int, dict[str, float]] = (-1, {})

    def on_train_begin(
        self, args: Any, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        now = time.monotonic()
        self._started = (now, state.global_step)
        self._last = (now, state.num_input_tokens_seen)
        self._count(state)

    def on_step_end(
        self, args: Any, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._count(state)
        if state.global_step >= state.max_steps:
            control.should_log = True
            control.should_evaluate = args.eval_strategy != "no"
        if self._stop.pressed:
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self,
        args: Any,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        logs = logs or {}
        if "loss" not in logs and "eval_loss" not in logs:
            return
        loss = logs["loss"] if "loss" in logs else logs["eval_loss"]
        if not math.isfinite(loss):
            raise Diverged(f"The loss became {loss} at step {state.global_step}.")
        values = _figures(logs)
        if "loss" in logs:
            values["tokens_per_second"] = self._tokens_per_second(state)
        if self._latest[0] == state.global_step:
            # Readers keep the last figures of a step, and an evaluation follows its training.
            values = self._latest[1] | values
        self._latest = (state.global_step, values)
        self._journal.metrics(
            values,
            step=state.global_step,
            total_steps=state.max_steps,
            epoch=round(state.epoch or 0.0, 6),
            eta_seconds=self._eta_seconds(state),
        )

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        folder = Path(args.output_dir)
        checkpoint = folder / f"checkpoint-{state.global_step}"
        checkpoints.mark_complete(checkpoint)
        self._journal.checkpoint(state.global_step, checkpoint)
        checkpoints.remove_older(folder)

    def _count(self, state: TrainerState) -> None:
        self._findings.steps = state.global_step
        self._findings.tokens = int(state.num_input_tokens_seen)

    def _tokens_per_second(self, state: TrainerState) -> float:
        then, tokens = self._last
        self._last = (time.monotonic(), state.num_input_tokens_seen)
        return (self._last[1] - tokens) / max(self._last[0] - then, 1e-9)

    def _eta_seconds(self, state: TrainerState) -> float | None:
        began, first_step = self._started
        done = state.global_step - first_step
        if done <= 0:
            return None
        return (time.monotonic() - began) / done * (state.max_steps - state.global_step)


def _figures(logs: dict[str, float]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in logs.items()
        if not name.endswith(_LEFT_OUT) and math.isfinite(value)
    }
