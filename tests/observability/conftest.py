"""What tests of traces share: spans kept in memory."""

from collections.abc import Generator, Sequence

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult


class Kept(SpanExporter):
    """Keeps spans while somebody wants them: a provider is set once for a whole process."""

    def __init__(self) -> None:
        self.wanted: list[ReadableSpan] | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.wanted is not None:
            self.wanted.extend(spans)
        return SpanExportResult.SUCCESS


@pytest.fixture(scope="session")
def kept() -> Kept:
    """Where all spans of this test process go from now on."""
    exporter = Kept()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(kept: Kept) -> Generator[list[ReadableSpan]]:
    """The spans that ended during one test."""
    kept.wanted = []
    yield kept.wanted
    kept.wanted = None
