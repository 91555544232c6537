"""All use cases together, as the doors get them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.provider import Provider
from app.services.access import Access
from app.services.aliases import Aliases
from app.services.audit import Audit
from app.services.cards import Cards
from app.services.comparisons import Comparisons
from app.services.compilations import Compilations
from app.services.conversions import Conversions
from app.services.curation import Curation
from app.services.datasets import Datasets
from app.services.diffs import Diffs
from app.services.evaluation_examples import EvaluationExamples
from app.services.evaluations import Evaluations
from app.services.exports import Exports
from app.services.feedback import Feedbacks
from app.services.files import Files
from app.services.gauges import Gauges
from app.services.health import Health
from app.services.hosting import Hostings
from app.services.imports import Imports
from app.services.jobs import Jobs
from app.services.keys import Keys
from app.services.leakage import Leakages
from app.services.ledger import Ledger
from app.services.lifecycle import Lifecycle
from app.services.migrations import Migrations
from app.services.models import Models
from app.services.names import Names
from app.services.notices import Notices
from app.services.offers import Offers
from app.services.orphans import Orphans
from app.services.outcomes import Outcomes
from app.services.projects import Projects
from app.services.quotes import Quotes
from app.services.rates import Rates
from app.services.receiving import Receiving
from app.services.repeating import Repeating
from app.services.reports import Reports
from app.services.splits import Splits
from app.services.uploads import Uploads
from app.services.watching import Watch
from app.services.webhook_endpoints import WebhookEndpoints
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
    migrations: Migrations
    cards: Cards
    exports: Exports
    repeating: Repeating
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
    comparisons: Comparisons
    evaluation_examples: EvaluationExamples
    feedbacks: Feedbacks
    watch: Watch
    offers: Offers
    orphans: Orphans
    imports: Imports
    webhooks: Webhooks
    webhook_endpoints: WebhookEndpoints
    health: Health
    gauges: Gauges
    access: Access
    rates: Rates
    keys: Keys
    projects: Projects
    audit: Audit
    providers: Mapping[str, Provider]
