"""Google's words in ours."""

from typing import Any

import pytest

from app.domain.provider import RemoteState
from app.providers.vertex.artifacts import Tuned
from app.providers.vertex.translate import STATES, Cursor, observation, state_of

NAME = "projects/1/locations/us-central1/tuningJobs/7"


def a_job(state: str, **others: Any) -> dict[str, Any]:
    """A tuning job as Google answers it."""
    return {"name": NAME, "state": state, "supervisedTuningSpec": {}} | others


@pytest.mark.parametrize(("word", "state"), STATES.items())
def test_every_documented_state_is_known(word: str, state: RemoteState) -> None:
    assert state_of(a_job(word)) is state


@pytest.mark.parametrize("word", ["JOB_STATE_UNSPECIFIED", "", "JOB_STATE_NEW"])
def test_any_other_state_is_unknown_and_looked_at_again(word: str) -> None:
    seen = observation(a_job(word), Cursor())

    assert seen.state is RemoteState.UNKNOWN
    assert seen.look_again_in > 0


def test_an_expired_job_has_failed() -> None:
    seen = observation(a_job("JOB_STATE_EXPIRED"), Cursor())

    assert seen.error is not None
    assert "expired" in seen.error.message


def test_a_success_without_a_model_has_no_artifact() -> None:
    assert observation(a_job("JOB_STATE_SUCCEEDED"), Cursor()).artifact is None


def test_tokens_are_counted_for_every_epoch() -> None:
    job = a_job(
        "JOB_STATE_SUCCEEDED",
        supervisedTuningSpec={"hyperParameters": {"epochCount": "3"}},
        tuningDataStats={"supervisedTuningDataStats": {"totalBillableTokenCount": "100"}},
        tunedModel={"model": "projects/1/locations/l/models/9@1"},
    )

    artifact = observation(job, Cursor()).artifact

    assert artifact is not None
    assert artifact.trained_tokens == 300
    assert artifact.effective == {"epochs": 3}


def test_a_job_has_a_page() -> None:
    assert observation(a_job("JOB_STATE_RUNNING"), Cursor()).remote.url == (
        "https://console.cloud.google.com/vertex-ai/generative/language/locations/us-central1"
        "/tuning/tuningJob/7?project=1"
    )


@pytest.mark.parametrize(
    "tuned",
    [Tuned("m@1"), Tuned("m@1", "e"), Tuned("m@1", "e", "3"), Tuned("m@1", None, "3")],
)
def test_a_handle_is_read_as_it_was_written(tuned: Tuned) -> None:
    assert Tuned.parse(str(tuned)) == tuned
    assert tuned.bare_model == "m"


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(("1", "2"), ("dropped",))

    assert Cursor.parse(str(cursor)) == cursor
