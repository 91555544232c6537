"""All use cases together, as the doors get them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.provider import Provider
from app.services.datasets import Datasets
from app.services.evaluations import Evaluations
from app.services.health import Health
from app.services.jobs import Jobs
from app.services.models import Models
from app.services.reports import Reports
from app.services.splits import Splits
from app.services.watching import Watch


@dataclass(frozen=True)
class Services:
    """One of each, sharing one database."""

    datasets: Datasets
    splits: Splits
    reports: Reports
    jobs: Jobs
    models: Models
    evaluations: Evaluations
    watch: Watch
    health: Health
    providers: Mapping[str, Provider]
