"""W3C Trace Context: what a caller says of the trace that its request is part of."""

import re
from collections.abc import Mapping
from typing import NamedTuple

TRACE_PARENT = "traceparent"
TRACE_STATE = "tracestate"

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class TraceContext(NamedTuple):
    """The caller's span.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        sampled: Whether the caller records its span.
    """

    trace_id: str
    span_id: str
    sampled: bool


def read_trace_context(metadata: Mapping[str, str]) -> TraceContext | None:
    """The caller's span; None without one, or where its header is not what the standard says."""
    found = _FORM.fullmatch(metadata.get(TRACE_PARENT, ""))
    if not found:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    # Later versions may say more; the first one may not.
    if (
        version == "ff"
        or (version == "00" and more)
        or not (int(trace_id, 16) and int(span_id, 16))
    ):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & 1))
