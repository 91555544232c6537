"""OpenAI's words in ours."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.jobs import JobError, MetricPoint
from app.domain.provider import RemoteState
from app.providers.openai_wire import translate
from app.providers.openai_wire.cursor import Cursor

STEP: dict[str, Any] = {
    "id": "ftevent-1",
    "created_at": 100,
    "type": "metrics",
    "message": "Step 3/30: training loss=0.50",
    "data": {"step": 3, "train_loss": 0.5},
}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("validating_files", RemoteState.PENDING),
        ("resuming", RemoteState.RUNNING),
        ("paused", RemoteState.PAUSED),
        ("succeeded", RemoteState.SUCCEEDED),
        ("contemplating", RemoteState.UNKNOWN),
        (None, RemoteState.UNKNOWN),
    ],
)
def test_a_status_is_ours_or_unknown(status: str | None, state: RemoteState) -> None:
    assert translate.state_of(status) is state


def test_a_step_is_measured_and_told_as_progress() -> None:
    progress = translate.progress_of([STEP], {"estimated_finish": 160}, now=150.0)

    assert translate.metrics_of([STEP]) == [MetricPoint(3, {"train_loss": 0.5}, at=100_000)]
    assert progress is not None
    assert (progress.percent, progress.total_steps, progress.eta_seconds) == (10.0, 30, 10.0)


def test_a_failure_keeps_the_vendors_code_and_says_what_to_do() -> None:
    failed = {"error": {"code": "server_error", "message": "Oh.", "param": None}}

    assert translate.error_of(failed) == JobError(
        "server_error", "Oh.", "It was the vendor's fault: retry the job."
    )


def test_success_without_a_model_leaves_no_artefact() -> None:
    assert translate.artifact_of({"fine_tuned_model": None}) is None


@pytest.mark.parametrize("is_packed", [False, True])
def test_results_are_read_plain_and_in_base64(*, is_packed: bool) -> None:
    table = b"step,train_loss,train_accuracy,valid_loss\n1,2.5,0.1,\n2,2.0,0.2,2.1\n"

    points = translate.results_of(base64.b64encode(table) if is_packed else table)

    assert points == [
        MetricPoint(1, {"train_loss": 2.5, "train_mean_token_accuracy": 0.1}),
        MetricPoint(2, {"train_loss": 2.0, "train_mean_token_accuracy": 0.2, "valid_loss": 2.1}),
    ]


@given(
    seconds=st.lists(st.integers(1, 9), max_size=300),
    looks=st.lists(st.integers(0, 60), max_size=20),
)
def test_every_event_is_told_once_whatever_the_looks(seconds: list[int], looks: list[int]) -> None:
    events: list[dict[str, Any]] = [
        {"id": f"e{n}", "created_at": at} for n, at in enumerate(sorted(seconds))
    ]
    told: list[str] = []
    cursor = Cursor()

    for seen in (*sorted(looks), len(events)):
        fresh = [event for event in events[:seen] if cursor.is_new(event)]
        told += [event["id"] for event in fresh]
        cursor = Cursor.parse(str(cursor.after(fresh, [])))

    assert told == [event["id"] for event in events]
