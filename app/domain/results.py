"""The results file of a job: its metrics as the CSV that OpenAI gives."""

import csv
import io
from collections.abc import Mapping, Sequence

from app.domain.jobs import MetricPoint

MOST_POINTS = 1_000_000
"""No training tells of more steps; a bound because every read has one."""

FIRST_COLUMNS = ("train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
"""OpenAI's own; whatever else was measured follows them."""

_OPENAI_NAMES: Mapping[str, str] = {
    "loss": "train_loss",
    "eval_loss": "valid_loss",
    "mean_token_accuracy": "train_mean_token_accuracy",
    "eval_mean_token_accuracy": "valid_mean_token_accuracy",
}

_IN_THE_TABLE: Mapping[str, str] = {"train_mean_token_accuracy": "train_accuracy"}
"""What the table calls otherwise than events and checkpoints do."""


def openai_metrics(values: Mapping[str, float]) -> dict[str, float]:
    """Metrics under the names that OpenAI gives them, the others as they are."""
    return {_OPENAI_NAMES.get(name, name): value for name, value in values.items()}


def results_csv(points: Sequence[MetricPoint]) -> bytes:
    """One line for each step, oldest first."""
    rows = [(point.step, _in_the_table(point.values)) for point in points]
    measured = {name for _, values in rows for name in values}
    columns = [*FIRST_COLUMNS, *sorted(measured.difference(FIRST_COLUMNS))]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["step", *columns])
    for step, values in rows:
        table.writerow([step, *(values.get(name, "") for name in columns)])
    return text.getvalue().encode()


def _in_the_table(values: Mapping[str, float]) -> dict[str, float]:
    named = openai_metrics(values)
    return {_IN_THE_TABLE.get(name, name): value for name, value in named.items()}
