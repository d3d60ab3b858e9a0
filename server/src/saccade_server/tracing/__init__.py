"""Traces: what callers say of theirs, and spans of our own where OpenTelemetry is installed."""

from saccade_server.tracing.context import (
    TRACE_PARENT,
    TRACE_STATE,
    TraceContext,
    read_trace_context,
)
from saccade_server.tracing.spans import RequestTrace, Tracer, make_tracer

__all__ = [
    "TRACE_PARENT",
    "TRACE_STATE",
    "RequestTrace",
    "TraceContext",
    "Tracer",
    "make_tracer",
    "read_trace_context",
]
