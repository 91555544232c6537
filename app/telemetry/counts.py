"""What this process counts of its own work, for Prometheus; labels are bounded, and never data."""

from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram, disable_created_metrics, start_http_server

# When a series began is one more line for each of them, and nobody asks for it.
disable_created_metrics()

REQUESTS = Histogram(
    "luthier_http_request_seconds",
    "Seconds until an answer began, by operation and class of status.",
    ["operation", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)

PROVIDER_CALLS = Histogram(
    "luthier_provider_call_seconds",
    "Seconds that calls to a provider took, by what came of them.",
    ["provider", "operation", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900),
)

RATE_LIMIT_HOLDS = Counter(
    "luthier_rate_limit_hold_seconds_total",
    "Seconds for which a provider asked to be left alone.",
    ["provider"],
)

TICKS = Histogram(
    "luthier_tick_seconds",
    "Seconds that one tick of a reconciler's loop took.",
    ["loop"],
    buckets=(0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900),
)

TICKS_BROKEN = Counter(
    "luthier_ticks_broken_total",
    "Ticks of a reconciler's loop that broke, the database's outages among them.",
    ["loop"],
)

HANDLED = Counter(
    "luthier_handled_total",
    "What the ticks of a reconciler's loop have worked on.",
    ["loop"],
)

JOBS_CLAIMED = Counter(
    "luthier_jobs_claimed_total",
    "Jobs that this process took under lease.",
    ["provider"],
)

JOBS_RECLAIMED = Counter(
    "luthier_jobs_reclaimed_total",
    "Jobs taken after a claim of which nothing was written: its handling broke or its worker died.",
    ["provider"],
)

JOBS_PARKED = Counter(
    "luthier_jobs_parked_total",
    "Jobs that were blocked after accidents in a row.",
    ["provider"],
)

JOBS_ENDED = Counter(
    "luthier_jobs_ended_total",
    "Jobs that this process saw to their end, by what they became.",
    ["provider", "status"],
)

WORK_BROKEN = Counter(
    "luthier_work_broken_total",
    "Handlings of one thing that broke, by its kind.",
    ["kind"],
)

LEASES_LOST = Counter(
    "luthier_leases_lost_total",
    "Results dropped because another process had taken the thing over meanwhile, by its kind.",
    ["kind"],
)

WEBHOOK_TRIES = Counter(
    "luthier_webhook_tries_total",
    "Tries to deliver a webhook, by what became of the delivery.",
    ["state"],
)


def begin(provider: str) -> None:
    """Let the counts that alerts watch stand at 0 at first: whoever asks for growth sees 0 to 1."""
    for count in (RATE_LIMIT_HOLDS, JOBS_RECLAIMED, JOBS_PARKED):
        count.labels(provider)


class NotTold(Exception):
    """The metrics cannot be told where they should be; the message says why."""


@contextmanager
def telling(place: str | None) -> Generator[None]:
    """Answer Prometheus at `address:port` while the block lasts; raises `NotTold`."""
    if place is None:
        yield
        return
    address, _, port = place.rpartition(":")
    try:
        server, thread = start_http_server(int(port), address.strip("[]"))
    except (OSError, OverflowError) as error:
        raise NotTold(f"LUTHIER_WORKER_METRICS: {place} cannot be listened on: {error}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
