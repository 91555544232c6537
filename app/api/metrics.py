"""Metrics for Prometheus: what this process counted, and what its database holds."""

from collections import defaultdict
from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from app.api.dependencies import Use
from app.domain.gauges import Readings, queued_by_project

router = APIRouter(include_in_schema=False)


@router.get("/metrics", operation_id="get_metrics")
async def get_metrics(use: Use) -> Response:
    """Counts of this process, and gauges of the whole house, at most ten seconds old."""
    house = CollectorRegistry()
    house.register(House(await use.gauges.read()))
    content = generate_latest(REGISTRY) + generate_latest(house)
    return Response(content, media_type=CONTENT_TYPE_PLAIN_0_0_4)


class House(Collector):
    """One look at the database as series; None where it cannot be read."""

    def __init__(self, seen: Readings | None) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """All series, those without a value with their heads only."""
        yield GaugeMetricFamily(
            "luthier_database_up",
            "Whether the database answered, with a schema that this version can work with.",
            value=self._seen is not None,
        )
        if self._seen is None:
            return
        yield from _open_jobs(self._seen)
        yield from _waiting(self._seen)
        yield _spent(self._seen)


def _open_jobs(seen: Readings) -> Iterator[Metric]:
    labels = ["provider", "status"]
    jobs = GaugeMetricFamily("luthier_jobs", "Unfinished jobs.", labels=labels)
    due = GaugeMetricFamily("luthier_jobs_due", "Jobs to be looked at by now.", labels=labels)
    overdue = GaugeMetricFamily(
        "luthier_job_overdue_seconds", "For how long the longest due job has been.", labels=labels
    )
    unreachable = GaugeMetricFamily(
        "luthier_jobs_unreachable", "Jobs that their provider gives no news of.", labels=labels
    )
    observed = GaugeMetricFamily(
        "luthier_job_observation_age_seconds",
        "The age of the oldest last observation of a job at its provider.",
        labels=labels,
    )
    places = defaultdict(list)
    for one in seen.jobs:
        places[one.provider, one.status.value].append(one)
    for place, ones in places.items():
        jobs.add_metric(place, sum(one.count for one in ones))
        due.add_metric(place, sum(one.due for one in ones))
        overdue.add_metric(place, max(one.overdue_seconds for one in ones))
        unreachable.add_metric(place, sum(one.unreachable for one in ones))
        ages = [one.observed_seconds for one in ones if one.observed_seconds is not None]
        if ages:
            observed.add_metric(place, max(ages))
    yield from (jobs, due, overdue, unreachable, observed)


def _waiting(seen: Readings) -> Iterator[Metric]:
    queue = GaugeMetricFamily(
        "luthier_queue_jobs", "Queued jobs by project, the longest queues.", labels=["project"]
    )
    for project, count in queued_by_project(seen.jobs).items():
        queue.add_metric([project], count)
    held = GaugeMetricFamily(
        "luthier_rate_limit_hold_left_seconds",
        "For how much longer a provider wants to be left alone.",
        labels=["provider"],
    )
    for provider, seconds in seen.held_seconds.items():
        held.add_metric([provider], seconds)
    waiting, oldest = seen.outbox.waiting, seen.outbox.oldest_seconds
    yield from (queue, held)
    yield GaugeMetricFamily("luthier_webhook_outbox", "Undelivered messages.", value=waiting)
    yield GaugeMetricFamily("luthier_webhook_oldest_seconds", "Age of the oldest.", value=oldest)


def _spent(seen: Readings) -> Metric:
    spend = GaugeMetricFamily(
        "luthier_spend_usd", "Sums of the ledger.", labels=["provider", "amount"]
    )
    for one in seen.spent:
        spend.add_metric([one.provider, "quoted"], float(one.quoted_usd))
        spend.add_metric([one.provider, "actual"], float(one.actual_usd))
    return spend
