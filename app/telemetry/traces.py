"""Traces: spans that follow a request, and a job through all processes that work on it.

Spans carry ids, states and outcomes. What is said of an exception stays out of them: a message may
quote a row or an address.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_tracer = trace.get_tracer("luthier")
_header = TraceContextTextMapPropagator()


class NotTraced(Exception):
    """Traces cannot be sent; the message says what to do."""


def configure_tracing() -> None:
    """Send spans to where the environment names a collector; raises `NotTraced`."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return
    try:
        # Heavy, and not needed by those who do not trace.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise NotTraced("Traces need more packages: pip install 'luthier[otel]'") from error
    named = {SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "luthier")}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def are_sent() -> bool:
    """Whether spans go anywhere; where they do not, making them would only cost time."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def span(
    name: str,
    *,
    parent: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, str | int],
) -> Generator[Span]:
    """A span around the block; `parent` is the `traceparent` of one in another process."""
    with _tracer.start_as_current_span(
        name,
        context=_header.extract({"traceparent": parent}) if parent else None,
        kind=kind,
        attributes=dict(attributes),
        record_exception=False,
        set_status_on_exception=False,
    ) as begun:
        yield begun


def begin(name: str, *, kind: SpanKind, attributes: Mapping[str, str | int]) -> Span:
    """A span that its caller ends, for blocks that may end in another task than they began in."""
    return _tracer.start_span(name, kind=kind, attributes=dict(attributes))


def traceparent() -> str | None:
    """What names the current span to another process; None where nothing is traced."""
    carrier: dict[str, str] = {}
    _header.inject(carrier)
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """The id of the trace that the code works in."""
    current = trace.get_current_span().get_span_context()
    return trace.format_trace_id(current.trace_id) if current.is_valid else None


def note(event: str) -> None:
    """Write down in the current span that something happened."""
    trace.get_current_span().add_event(event)


def answered(operation: str, status: int) -> None:
    """Write down in the current span which operation a request was, and what came of it."""
    current = trace.get_current_span()
    current.update_name(operation)
    current.set_attribute("http.response.status_code", status)
    if status >= 500:
        current.set_status(StatusCode.ERROR)
