"""Structured logs: one event a line, with ids; JSON for machines, colours for people."""

import logging
import sys

import structlog
from structlog.typing import EventDict

from app.telemetry.traces import trace_id


def configure_logging(form: str) -> None:
    """Send our own and the libraries' log lines to standard error in one form."""
    is_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared = [
        structlog.contextvars.merge_contextvars,
        add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain tracebacks: the colourful ones take seconds, and print the values of local variables.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if is_json else console
    ending = [structlog.processors.format_exc_info, renderer] if is_json else [renderer]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *ending,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for client in ("httpx", "httpcore"):
        # Below that they show URLs and headers, and so the signatures of signed URLs.
        logging.getLogger(client).setLevel(logging.WARNING)


def add_trace(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Let a line name the trace that it was written in, if there is one."""
    found = trace_id()
    return event if found is None else {**event, "trace_id": found}
