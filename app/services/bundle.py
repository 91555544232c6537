"""All use cases together, as the doors get them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.provider import Provider
from app.services.compilations import Compilations
from app.services.conversions import Conversions
from app.services.curation import Curation
from app.services.datasets import Datasets
from app.services.diffs import Diffs
from app.services.evaluations import Evaluations
from app.services.health import Health
from app.services.jobs import Jobs
from app.services.leakage import Leakages
from app.services.models import Models
from app.services.orphans import Orphans
from app.services.quotes import Quotes
from app.services.reports import Reports
from app.services.splits import Splits
from app.services.watching import Watch
from app.services.webhooks import Webhooks


@dataclass(frozen=True)
class Services:
    """One of each, sharing one database."""

    datasets: Datasets
    conversions: Conversions
    splits: Splits
    leakages: Leakages
    curation: Curation
    diffs: Diffs
    reports: Reports
    compilations: Compilations
    quotes: Quotes
    jobs: Jobs
    models: Models
    evaluations: Evaluations
    watch: Watch
    orphans: Orphans
    webhooks: Webhooks
    health: Health
    providers: Mapping[str, Provider]
