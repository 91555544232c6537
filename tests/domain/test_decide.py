"""Judgements: whatever is seen in whatever state, no job goes where no job may go."""

import math
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import decide
from app.domain.datasets import DatasetRef
from app.domain.decide import Decision, SubmitStep
from app.domain.errors import Later, Never, Steer, YourTurn
from app.domain.jobs import (
    AT_PROVIDER,
    FINAL,
    TRANSITIONS,
    Checkpoint,
    Desired,
    Job,
    JobError,
    JobStatus,
    Method,
    MetricPoint,
    Progress,
    Remote,
)
from app.domain.provider import Artifact, Observation, RemoteState

NOW = 1_700_000_000_000

JOB = Job(
    id="job_1",
    name=None,
    provider="p",
    base_model="b",
    dataset=DatasetRef("ds_1", "d", 1),
    method=Method("sft"),
    seed=1,
    created_at=NOW,
)


def job(status: JobStatus, **fields: Any) -> Job:
    """A job in a state."""
    return msgspec.structs.replace(JOB, status=status, **fields)


def seen(state: RemoteState, **fields: Any) -> Observation:
    """A look that found a state."""
    pause = fields.pop("look_again_in", 1.0)
    return Observation(state=state, remote=Remote("r", str(state)), look_again_in=pause, **fields)


remotes = st.builds(Remote, st.just("r"), st.sampled_from([None, "busy", "odd"]))
progress = st.builds(Progress, st.floats(0, 100), st.integers(0, 9) | st.none())
errors = st.builds(JobError, st.just("code"), st.just("message"))
jobs_at_provider = st.builds(
    job,
    st.sampled_from(sorted(AT_PROVIDER)),
    desired=st.sampled_from(Desired),
    remote=remotes,
    progress=progress | st.none(),
    unreachable_since=st.none() | st.just(NOW),
    failures=st.integers(0, 40),
)
observations = st.builds(
    Observation,
    state=st.sampled_from(RemoteState),
    remote=remotes,
    look_again_in=st.floats(0, 60),
    progress=progress | st.none(),
    metrics=st.lists(st.builds(MetricPoint, st.integers(0, 9), st.just({"loss": 1.0})), max_size=2),
    checkpoints=st.lists(st.builds(Checkpoint, st.integers(0, 9), st.just("c")), max_size=2),
    cursor=st.none() | st.just("cursor"),
    artifact=st.none() | st.just(Artifact("handle", "adapter")),
    error=errors | st.none(),
)
steers = st.sampled_from([
    Later("busy", retry_after=5), Never("no", code="no", hint="stop"), YourTurn("pay")
])  # fmt: skip


def check(before: Job, decision: Decision) -> Job:
    """The job after a decision that keeps to the table and to itself."""
    after = msgspec.structs.replace(before, **decision.changes)
    moved = after.status is not before.status
    assert not moved or after.status in TRANSITIONS[before.status]
    assert (after.finished_at is not None) == after.status.is_final
    assert (after.error is not None) == (after.status is JobStatus.FAILED)
    assert after.status not in FINAL or decision.look_again_in is None
    assert not moved or decision.events or after.status is JobStatus.QUEUED
    return after


@given(jobs_at_provider, observations)
def test_a_look_never_leads_astray(before: Job, look: Observation) -> None:
    decision = decide.after_observation(before, look, NOW)
    after = check(before, decision)
    if not after.status.is_final:
        longest = (
            math.inf if after.status in decide.AS_DESIRED[after.desired] else decide.WISH_SECONDS
        )
        assert decision.look_again_in == min(look.look_again_in, longest)
    assert (after.observed_at, after.remote, after.unreachable_since) == (NOW, look.remote, None)
    assert (decision.artifact is not None) == (after.status is JobStatus.SUCCEEDED)


@pytest.mark.parametrize(
    ("minutes", "desired", "pause"),
    [
        (0, Desired.RUN, 15.0),
        (10, Desired.RUN, 15.0),
        (20, Desired.RUN, 30.0),
        (24 * 60, Desired.RUN, 60.0),
        (24 * 60, Desired.CANCEL, 15.0),
        (24 * 60, Desired.PAUSE, 15.0),
    ],
)
def test_old_trainings_are_looked_at_seldom(minutes: int, desired: Desired, pause: float) -> None:
    started = NOW - minutes * 60_000
    before = job(JobStatus.RUNNING, desired=desired, started_at=started, remote=Remote("r", "x"))
    look = seen(RemoteState.RUNNING, look_again_in=15.0)

    assert decide.after_observation(before, look, NOW).look_again_in == pause


@pytest.mark.parametrize(
    ("state", "desired", "pause"),
    [
        (RemoteState.PAUSED, Desired.CANCEL, decide.WISH_SECONDS),
        (RemoteState.PAUSING, Desired.PAUSE, decide.WISH_SECONDS),
        (RemoteState.PAUSED, Desired.RUN, decide.WISH_SECONDS),
        (RemoteState.PAUSED, Desired.PAUSE, 3600.0),
        (RemoteState.CANCELLING, Desired.RUN, 3600.0),
    ],
)
def test_a_wish_that_has_not_come_true_is_soon_said_again(
    state: RemoteState, desired: Desired, pause: float
) -> None:
    before = job(JobStatus.RUNNING, desired=desired, started_at=NOW, remote=Remote("r", "x"))
    look = seen(state, look_again_in=3600.0)

    assert decide.after_observation(before, look, NOW).look_again_in == pause


@given(jobs_at_provider, observations)
def test_the_same_look_twice_is_no_news(before: Job, look: Observation) -> None:
    quiet = msgspec.structs.replace(look, checkpoints=[], cursor=None)
    once = check(before, decide.after_observation(before, quiet, NOW))
    if not once.status.is_final:
        assert not decide.after_observation(once, quiet, NOW + 1).is_visible


@given(jobs_at_provider, steers)
def test_a_refused_look_never_leads_astray(before: Job, said: Steer) -> None:
    after = check(before, decide.after_refused_look(before, said, NOW))
    assert (after.status is JobStatus.FAILED) == isinstance(said, Never)


@given(jobs_at_provider, st.randoms(use_true_random=False))
def test_silence_makes_a_job_stale_and_never_failed(before: Job, chance: random.Random) -> None:
    decision = decide.after_silence(before, "no answer", NOW, chance=chance)
    after = check(before, decision)
    assert after.is_stale
    assert after.status is before.status
    assert bool(decision.events) == (not before.is_stale)
    assert 0 < (decision.look_again_in or 0) <= decide.SILENCE_CAP_SECONDS + 1


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.SUBMITTING])
@pytest.mark.parametrize("desired", Desired)
def test_a_submission_goes_its_way(status: JobStatus, desired: Desired) -> None:
    intended = check(
        job(status, desired=desired), decide.intend(job(status, desired=desired), NOW, versions={})
    )
    assert (intended.status, intended.intent_at) == (JobStatus.SUBMITTING, NOW)
    sent = check(intended, decide.after_submission(intended, Remote("r"), NOW, adopted=False))
    assert (sent.status is JobStatus.CANCELLING) == (desired is Desired.CANCEL)
    assert sent.started_at == NOW


@given(steers)
def test_a_refused_submission_leaves_no_intent(said: Steer) -> None:
    before = job(JobStatus.SUBMITTING, intent_at=NOW)
    after = check(before, decide.after_refusal(before, said, NOW))
    follows: dict[type[Steer], JobStatus] = {
        Later: JobStatus.QUEUED,
        YourTurn: JobStatus.BLOCKED,
        Never: JobStatus.FAILED,
    }
    assert after.status is follows[type(said)]
    assert after.intent_at is None or after.status.is_final


def test_a_lost_outcome_settles_before_a_second_look() -> None:
    before = job(JobStatus.SUBMITTING, intent_at=NOW)
    chance = random.Random(1)
    lost = decide.after_lost_outcome(before, "reset", settle_seconds=60, chance=chance)
    after = check(before, lost)
    assert (after.status, after.intent_at, after.failures) == (JobStatus.SUBMITTING, NOW, 1)
    assert (lost.look_again_in or 0) >= 60


def test_a_lost_look_up_is_repeated_and_settles_nothing_again() -> None:
    before = job(JobStatus.SUBMITTING, intent_at=NOW)
    lost = decide.after_lost_look_up(before, chance=random.Random(1))
    after = check(before, lost)
    assert (after.status, after.intent_at, after.failures) == (JobStatus.SUBMITTING, NOW, 1)
    assert 0 < (lost.look_again_in or 0) <= 2.5
    assert not lost.events


@pytest.mark.parametrize(
    ("fields", "seconds_later", "step"),
    [
        ({}, 0, SubmitStep.CREATE),
        ({"desired": Desired.PAUSE}, 0, SubmitStep.CREATE),
        ({"desired": Desired.CANCEL}, 0, SubmitStep.DROP),
        ({"intent_at": NOW}, 59, SubmitStep.WAIT),
        ({"intent_at": NOW}, 60, SubmitStep.LOOK_UP),
        ({"intent_at": NOW, "desired": Desired.CANCEL}, 59, SubmitStep.WAIT),
        ({"intent_at": NOW, "desired": Desired.CANCEL}, 60, SubmitStep.LOOK_UP),
    ],
)
def test_what_may_have_been_sent_is_looked_up_first(
    fields: dict[str, Any], seconds_later: int, step: SubmitStep
) -> None:
    before, now = job(JobStatus.QUEUED, **fields), NOW + seconds_later * 1000
    assert decide.next_submit_step(before, now, settle_seconds=60) is step
    left = decide.seconds_to_settle(before, now, settle_seconds=60)
    assert step is not SubmitStep.WAIT or left == 60 - seconds_later


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.SUBMITTING])
def test_a_drop_is_a_cancellation(status: JobStatus) -> None:
    assert check(job(status), decide.after_drop(job(status), NOW)).status is JobStatus.CANCELLED


@pytest.mark.parametrize("status", sorted(FINAL))
def test_what_has_ended_is_not_moved(status: JobStatus) -> None:
    with pytest.raises(decide.IllegalTransition):
        decide.intend(job(status), NOW, versions={})
    with pytest.raises(decide.IllegalTransition):
        decide.after_submission(job(status), Remote("r"), NOW, adopted=True)


def test_success_without_a_model_is_a_failure() -> None:
    before = job(JobStatus.RUNNING)
    after = check(before, decide.after_observation(before, seen(RemoteState.SUCCEEDED), NOW))
    assert after.error is not None
    assert after.error.code == "artifact_missing"


def test_a_model_that_does_not_answer_is_a_failure() -> None:
    look = seen(RemoteState.SUCCEEDED, artifact=Artifact("handle", "adapter"))
    said = Never("It says nothing.", code="model_silent")
    decision = decide.after_probe_refusal(job(JobStatus.RUNNING), look, said, NOW)
    after = check(job(JobStatus.RUNNING), decision)
    assert (after.error, decision.artifact) == (JobError("model_silent", "It says nothing."), None)


def test_a_state_that_we_do_not_know_is_kept_and_told_once() -> None:
    before = job(JobStatus.PAUSED, desired=Desired.PAUSE)
    decision = decide.after_observation(before, seen(RemoteState.UNKNOWN), NOW)
    assert check(before, decision).status is JobStatus.PAUSED
    assert [event.type for event in decision.events] == ["job.unknown_status"]


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_backing_off_has_a_floor_and_a_cap(failures: int, chance: random.Random) -> None:
    wait = decide.backoff_seconds(failures, chance)
    assert 0.5 <= wait <= min(2.0 ** min(failures, 16), decide.BACKOFF_CAP_SECONDS) + 0.5
