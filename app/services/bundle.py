"""All use cases together, as the doors get them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.provider import Provider
from app.services.aliases import Aliases
from app.services.compilations import Compilations
from app.services.conversions import Conversions
from app.services.curation import Curation
from app.services.datasets import Datasets
from app.services.diffs import Diffs
from app.services.evaluation_examples import EvaluationExamples
from app.services.evaluations import Evaluations
from app.services.feedback import Feedbacks
from app.services.files import Files
from app.services.health import Health
from app.services.hosting import Hostings
from app.services.imports import Imports
from app.services.jobs import Jobs
from app.services.leakage import Leakages
from app.services.ledger import Ledger
from app.services.lifecycle import Lifecycle
from app.services.models import Models
from app.services.names import Names
from app.services.notices import Notices
from app.services.orphans import Orphans
from app.services.outcomes import Outcomes
from app.services.quotes import Quotes
from app.services.receiving import Receiving
from app.services.reports import Reports
from app.services.splits import Splits
from app.services.uploads import Uploads
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
    aliases: Aliases
    notices: Notices
    ledger: Ledger
    lifecycle: Lifecycle
    hostings: Hostings
    files: Files
    uploads: Uploads
    receiving: Receiving
    names: Names
    outcomes: Outcomes
    evaluations: Evaluations
    evaluation_examples: EvaluationExamples
    feedbacks: Feedbacks
    watch: Watch
    orphans: Orphans
    imports: Imports
    webhooks: Webhooks
    health: Health
    providers: Mapping[str, Provider]
