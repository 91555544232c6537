"""Reports over HTTP: what is good and bad about a dataset, and what to do next."""

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.datasets import DatasetOut
from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Moment, Out, answer
from app.domain.reporting.findings import Level, Severity
from app.domain.reporting.progress import ReportStatus
from app.services.reports import ReportedDataset

router = APIRouter(prefix="/datasets", tags=["datasets"])


class QuantityOut(Out):
    """The verdict on the number of examples; duplicates do not count once they are known."""

    level: Level
    examples: int
    message: str


class FindingOut(Out):
    """One kind of thing that was found."""

    code: str
    severity: Severity
    count: int
    message: str
    advice: str = Field(description="The next best thing to do about it.")
    lines: list[int] = Field(description="The first hundred, from 1.")
    groups: list[list[int]] = Field(description="Lines that belong together, the first twenty.")


class LabelOut(Out):
    """A label with the examples that carry it."""

    label: str
    count: int
    share: float


class BarOut(Out):
    """How many lie between two bounds, both included."""

    low: int
    high: int
    count: int


class HistogramOut(Out):
    """How long texts are, in one unit."""

    minimum: int
    median: int
    p95: int
    maximum: int
    total: int
    bars: list[BarOut]


class LengthsOut(Out):
    """Lengths of one side of the examples."""

    characters: HistogramOut
    words: HistogramOut
    estimated_tokens: HistogramOut = Field(description="`tokens.measure` says how good they are.")


class MeasureOut(Out):
    """What tokens were counted with."""

    name: str
    exact: bool
    error: str | None = Field(description="How far from the truth an estimate may be.")


class TokensOut(Out):
    """Tokens of the examples, with the frames of their messages and their tools."""

    total: int
    per_example: HistogramOut
    measure: MeasureOut


class LanguageOut(Out):
    """Examples in one language."""

    language: str = Field(
        description="ISO 639 code; `unknown` where a text is short, no prose or in doubt.",
        examples=["en", "unknown"],
    )
    count: int
    share: float


class LanguagesOut(Out):
    """The languages of both sides, the most frequent first."""

    examined: int = Field(description="The first 10,000 examples, then one in five.")
    prompt: list[LanguageOut]
    completion: list[LanguageOut]


class FiguresOut(Out):
    """All that was found."""

    examples: int
    compared: int = Field(description="Distinct prompts that were compared for near duplicates.")
    exact_duplicates: int
    near_duplicates: int
    labels: list[LabelOut] | None = Field(description="Where the completions look like labels.")
    prompt: LengthsOut
    completion: LengthsOut
    tokens: TokensOut
    languages: LanguagesOut
    findings: list[FindingOut] = Field(description="Errors first, then warnings.")


class ReportErrorOut(Out):
    """Why there is no report."""

    code: str
    message: str


class ReportProgressOut(Out):
    """How far the report has come."""

    examined: int
    total: int
    percent: float


class ReportOut(Out):
    """The report of one dataset version, as far as it has come."""

    dataset: DatasetOut
    status: ReportStatus
    progress: ReportProgressOut
    quantity: QuantityOut
    next: str | None = Field(description="The one thing to do first; null until it is ready.")
    report: FiguresOut | None = Field(
        description="While it is running, what was found so far; near duplicates come at the end."
    )
    error: ReportErrorOut | None
    created_at: Moment
    finished_at: Moment | None


@router.get(
    "/{ref}/report",
    operation_id="get_dataset_report",
    summary="Get a dataset's report",
    response_model=ReportOut,
    responses=responses(404),
)
async def get_dataset_report(use: Use, ref: str) -> Response:
    """What was found out about the examples.

    Every new version gets its report in the background. `status` is `queued`, `running`, `ready`
    or `failed`; the verdict on quantity is there at once, and while the report is running `report`
    holds what was found up to `progress.examined`.
    """
    return answer(_shown(await use.reports.get(ref)))


def _shown(found: ReportedDataset) -> ReportOut:
    report, total = found.report, found.dataset.examples
    return ReportOut.model_validate(
        {
            "dataset": found.dataset,
            "status": report.status,
            "progress": {
                "examined": report.examined,
                "total": total,
                "percent": round(100 * report.examined / total, 1),
            },
            "quantity": found.quantity,
            "next": report.result.next if report.result and report.is_ready else None,
            "report": report.result,
            "error": report.error,
            "created_at": report.created_at,
            "finished_at": report.finished_at,
        }
    )
