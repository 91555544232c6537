"""Every request as a span and a count, from its arrival to the beginning of its answer."""

import time
from contextlib import AbstractContextManager, nullcontext

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers
from starlette.types import Message, Scope, Send

from app.telemetry import counts, traces

SILENT: TelemetryConfig = {
    # FastAPI's own spans and logs hold queries, and the messages of exceptions.
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}

UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Machines ask for them all the time."""


def traced(scope: Scope) -> AbstractContextManager[object]:
    """A span around a request, within the trace of whoever sent it; none where machines look."""
    parent = Headers(scope=scope).get("traceparent")
    if scope["path"] in UNTRACED or (parent is None and not traces.are_sent()):
        return nullcontext()
    ids = {
        "luthier.request_id": scope["state"]["request_id"],
        "http.request.method": scope["method"],
    }
    return traces.span("request", parent=parent, kind=SpanKind.SERVER, attributes=ids)


def timed(scope: Scope, send: Send) -> Send:
    """Count the request when its answer begins: a stream of events may never end."""
    started = time.perf_counter()

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            # Routes are known by then; what was refused before, or led nowhere, has none.
            operation = getattr(scope.get("route"), "operation_id", None) or "none"
            status = f"{message['status'] // 100}xx"
            seconds = time.perf_counter() - started
            traces.answered(operation, message["status"])
            counts.REQUESTS.labels(operation, status).observe(seconds)
        await send(message)

    return sent
