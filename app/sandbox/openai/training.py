"""What a training would measure, computed from its size and seed alone."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

AUTO: Mapping[str, Any] = {
    "n_epochs": 3,
    "batch_size": 1,
    "learning_rate_multiplier": 1.8,
    "beta": 0.1,
    "reasoning_effort": "medium",
    "compute_multiplier": 1.0,
    "eval_interval": 5,
    "eval_samples": 2,
}
ALWAYS_CHOSEN = ("n_epochs", "batch_size", "learning_rate_multiplier")
BYTES_PER_TOKEN = 4
KEPT_CHECKPOINTS = 3
COLUMNS = (
    "step",
    "train_loss",
    "train_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A training before it begins; `tokens` are those of one epoch."""

    method: str
    examples: int
    epochs: int
    batch_size: int
    tokens: int
    seed: int
    is_validated: bool

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in one pass over the examples."""
        return math.ceil(self.examples / self.batch_size)

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.steps_per_epoch * self.epochs

    @property
    def trained_tokens(self) -> int:
        """What is billed."""
        return self.tokens * self.epochs

    @property
    def checkpoint_steps(self) -> Sequence[int]:
        """The ends of the last epochs, which are kept."""
        ends = [self.steps_per_epoch * epoch for epoch in range(1, self.epochs + 1)]
        return ends[-KEPT_CHECKPOINTS:]

    def metrics(self, step: int) -> dict[str, float]:
        """What a step measures; the same seed and size measure the same."""
        if self.method == "reinforcement":
            return self._rewards(step)
        loss = self._falling(step)
        metrics: dict[str, float] = {
            "step": step,
            "train_loss": round(loss, 6),
            "train_mean_token_accuracy": round(1 - loss / 4, 6),
        }
        if self.is_validated:
            metrics["valid_loss"] = round(loss * 1.1, 6)
            metrics["valid_mean_token_accuracy"] = round(1 - loss * 1.1 / 4, 6)
        return metrics

    def at_checkpoint(self, step: int) -> dict[str, float]:
        """What is measured at the end of an epoch, the whole validation file included."""
        metrics = self.metrics(step)
        if "valid_loss" in metrics:
            metrics["full_valid_loss"] = metrics["valid_loss"]
            metrics["full_valid_mean_token_accuracy"] = metrics["valid_mean_token_accuracy"]
        return {name: value for name, value in metrics.items() if "reward" not in name}

    def results(self, steps: int) -> bytes:
        """The results file after so many steps, as CSV."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        for step in range(1, steps + 1):
            table.writerow(self._row(self.metrics(step)))
        return text.getvalue().encode()

    def _row(self, metrics: Mapping[str, float]) -> list[float | str]:
        names = [name.replace("train_accuracy", "train_mean_token_accuracy") for name in COLUMNS]
        return [metrics.get(name, "") for name in names]

    def _rewards(self, step: int) -> dict[str, float]:
        reward = round(1 - self._falling(step) / 4, 6)
        metrics: dict[str, float] = {"step": step, "train_mean_reward": reward}
        return metrics | ({"valid_mean_reward": reward} if self.is_validated else {})

    def _falling(self, step: int) -> float:
        """A loss that falls from about two to about a tenth, and trembles a little."""
        tremble = math.sin(step * 12.9898 + self.seed) * 0.05
        return 0.1 + (1.9 + tremble) * math.exp(-3 * step / self.steps)


def plan(
    method: str,
    hyperparameters: Mapping[str, Any],
    examples: Sequence[Mapping[str, Any]],
    *,
    seed: int,
    is_validated: bool,
) -> Plan:
    """The plan of a training over examples."""
    size = sum(len(json.dumps(example, ensure_ascii=False).encode()) for example in examples)
    return Plan(
        method=method,
        examples=len(examples),
        epochs=hyperparameters["n_epochs"],
        batch_size=hyperparameters["batch_size"],
        tokens=size // BYTES_PER_TOKEN,
        seed=seed,
        is_validated=is_validated,
    )


def settled(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters with a value in place of every `auto`, the main ones always there."""
    chosen = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"} | dict(
        asked
    )
    return {
        name: AUTO[name] if value in ("auto", "default") else value
        for name, value in chosen.items()
    }
