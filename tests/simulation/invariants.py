"""What holds whatever happens; `docs/invariants.md` says it in words, under the same names."""

from collections import Counter
from collections.abc import Callable, Iterator

from app.domain.jobs import Attempt, Job, JobStatus, job_of
from tests.simulation.schedule import HEALED_SECONDS, Kind
from tests.simulation.vendor import REFUSED, Training
from tests.simulation.world import SWEPT_SECONDS, Outcome

ENDS = {"job.succeeded", "job.failed", "job.cancelled"}

AFTER_AN_END = {"job.surplus_cancelled"}
"""What may be told of a job that has ended, beside its retry."""


def violations(outcome: Outcome) -> list[str]:
    """Everything that does not hold, each with the name of what it breaks."""
    return [f"{name}: {what}" for name, check in INVARIANTS.items() for what in check(outcome)]


def nothing_lost(outcome: Outcome) -> Iterator[str]:
    if len(outcome.jobs) != outcome.schedule.jobs:
        yield f"{len(outcome.jobs)} jobs of {outcome.schedule.jobs} are left"


def desired_reached(outcome: Outcome) -> Iterator[str]:
    if not outcome.is_settled:
        for job in outcome.jobs:
            if not job.status.is_final:
                yield f"{job.id} is {job.status}, desired {job.desired}: {job.status_detail}"


def submitted_once(outcome: Outcome) -> Iterator[str]:
    if outcome.schedule.kind is Kind.EXACT or outcome.schedule.settles:
        keys = Counter(training.key for training in outcome.vendor.trainings.values())
        yield from (f"{key} was created {count} times" for key, count in keys.items() if count > 1)


def one_alive(outcome: Outcome) -> Iterator[str]:
    known = {
        attempt.remote.id
        for job in outcome.jobs
        for attempt in job.all_attempts
        if attempt.remote is not None
    }
    for training in map(outcome.vendor.look, outcome.vendor.trainings):
        swept_at = max(training.created_at, HEALED_SECONDS) + SWEPT_SECONDS
        lived = training.status != "cancelled" and training.ends_at > swept_at
        if training.id not in known and lived and outcome.seconds > swept_at:
            yield f"{training.id} of {training.key} is {training.status}, and no job's"


def ends_are_ends(outcome: Outcome) -> Iterator[str]:
    for id, events in outcome.events.items():
        ended = ""
        for event in events:
            if ended and event["type"] not in AFTER_AN_END | {"job.retried"}:
                yield f"{id}: {event['type']} after {ended}"
            if event["type"] in ENDS:
                ended = event["type"]
            if event["type"] == "job.retried":
                ended = ""


def events_gapless(outcome: Outcome) -> Iterator[str]:
    for job in outcome.jobs:
        numbers = [event["seq"] for event in outcome.events[job.id]]
        if numbers != list(range(1, job.event_count + 1)):
            yield f"{job.id} has {job.event_count} events, numbered {numbers}"


def attempts_true(outcome: Outcome) -> Iterator[str]:
    for job in outcome.jobs:
        numbers = [attempt.number for attempt in job.all_attempts]
        if numbers != list(range(1, job.attempt + 1)):
            yield f"{job.id} has the attempts {numbers}"
        for attempt in job.all_attempts:
            yield from _untrue(outcome, job, attempt)


def one_model(outcome: Outcome) -> Iterator[str]:
    born = Counter(model["job"] for model in outcome.models)
    for job in outcome.jobs:
        expected = 1 if job.status is JobStatus.SUCCEEDED else 0
        if born[job.id] != expected:
            yield f"{job.id} is {job.status} and has {born[job.id]} models"


def ledger_true(outcome: Outcome) -> Iterator[str]:
    for job in outcome.jobs:
        surplus = _surplus(outcome, job)
        swept = [one for one in surplus if _swept_at(one) < outcome.seconds]
        least = sum(_billed(outcome, one) for one in job.all_attempts if not _is_refused(one))
        least += sum(one.billed for one in swept)
        most = sum(_billed(outcome, one) for one in job.all_attempts)
        most += sum(one.billed for one in surplus)
        booked = outcome.booked.get(job.id, 0)
        if not least <= booked <= most:
            yield f"{job.id} is booked with {booked} tokens; billed are {least} to {most}"


INVARIANTS: dict[str, Callable[[Outcome], Iterator[str]]] = {
    "nothing lost": nothing_lost,
    "desired reached": desired_reached,
    "submitted once": submitted_once,
    "one alive": one_alive,
    "ends are ends": ends_are_ends,
    "events gapless": events_gapless,
    "attempts true": attempts_true,
    "one model": one_model,
    "ledger true": ledger_true,
}


def _billed(outcome: Outcome, attempt: Attempt) -> int:
    training = outcome.vendor.trainings.get(attempt.remote.id) if attempt.remote else None
    return training.billed if training else 0


def _surplus(outcome: Outcome, job: Job) -> list[Training]:
    """What was created for the job, and is no attempt's."""
    known = {attempt.remote.id for attempt in job.all_attempts if attempt.remote is not None}
    return [
        training
        for training in map(outcome.vendor.look, outcome.vendor.trainings)
        if training.id not in known and (job_of(training.key) or ("",))[0] == job.id
    ]


def _swept_at(surplus: Training) -> float:
    """When its end was seen at the latest."""
    return max(surplus.ends_at, surplus.listed_at, HEALED_SECONDS) + SWEPT_SECONDS


def _is_refused(attempt: Attempt) -> bool:
    """Whether a clear word ended the attempt, whatever became of its training."""
    return attempt.error is not None and attempt.error.code == REFUSED


def _untrue(outcome: Outcome, job: Job, attempt: Attempt) -> Iterator[str]:
    """What the record of an attempt says that the vendor does not."""
    if attempt.remote is None:
        if attempt.status is JobStatus.SUCCEEDED:
            yield f"{job.id} succeeded nowhere"
        return
    training = outcome.vendor.trainings.get(attempt.remote.id)
    if training is None or job_of(training.key) != (job.id, attempt.number):
        yield f"attempt {attempt.number} of {job.id} names {attempt.remote.id}, not its own"
        return
    said = outcome.vendor.look(training.id).status
    if attempt.status.is_final and said != attempt.status and not _is_refused(attempt):
        yield f"attempt {attempt.number} of {job.id} is {attempt.status}; the vendor says {said}"
