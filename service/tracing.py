"""Sends traces to OpenTelemetry: one per job, from its upload over the queue to every window at the engine.

This needs the extra ``otel`` and an address in ``OTEL_EXPORTER_OTLP_ENDPOINT`` (OTLP over HTTP); all other ``OTEL_...``
variables work as its specification says. Without an address nothing of it is imported, and spans cost nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from service.distribution import install_command

log = logging.getLogger(__name__)

ADDRESSES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
HEADER = "traceparent"
"""The header by which W3C's Trace Context names the parent span."""

Attributes = Mapping[str, str | int | float | bool]


class _Traces:
    """Holds the tracer of this process, once there is one."""

    tracer: Any = None


def configure_tracing(process: str) -> None:
    """Sends spans from now on, if an address is set. ``process`` names them unless OTEL_SERVICE_NAME does."""
    if not any(os.environ.get(name) for name in ADDRESSES):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        log.warning("No traces are sent: %s. Install what sends them: %s", error, install_command("otel"))
        return
    resource = {SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", process)}
    provider = TracerProvider(resource=Resource.create(resource))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _Traces.tracer = provider.get_tracer("cdvd")


@contextmanager
def span(name: str, parent: str | None = None, attributes: Attributes | None = None) -> Iterator[None]:
    """Records the block as a span, below the current one or below ``parent`` (a traceparent of another process).

    An exception that leaves the block is recorded with it.
    """
    if _Traces.tracer is None:
        yield
        return
    with _Traces.tracer.start_as_current_span(name, _context_of(parent), attributes=dict(attributes or {})):
        yield


def describe(attributes: Attributes) -> None:
    """Adds attributes to the current span."""
    if _Traces.tracer is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().set_attributes(dict(attributes))


def current_traceparent() -> str | None:
    """Returns the traceparent of the current span, for another process; None without traces."""
    if _Traces.tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(HEADER)


def _context_of(parent: str | None) -> Any:
    """Returns the context of a traceparent; None stands for the current span."""
    if parent is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({HEADER: parent})
