"""Requests that fail: what their callers may know, and the line that the log gets."""

import logging

from saccade_server.errors import Code, SaccadeError
from saccade_server.logs import log_is_full
from saccade_server.services.call import Call
from saccade_server.tracing import read_trace_context

log = logging.getLogger(__name__)

MAX_TEXT = 300
"""Characters of an error's text in the log: parts of it may be the caller's."""

_OURS = frozenset({Code.RESOURCE_EXHAUSTED, Code.DEADLINE_EXCEEDED, Code.UNAVAILABLE})
_SUSPICIOUS = frozenset({Code.UNAUTHENTICATED, Code.PERMISSION_DENIED})


def failure(error: Exception, path: str, call: Call, seconds: float) -> SaccadeError:
    """What the caller may know of an error; the log gets a line, and the rest.

    Args:
        error: What went wrong.
        path: Of the method.
        call: Of the request.
        seconds: Since it came.
    """
    if call.trace is not None:
        call.trace.fail(error.code if isinstance(error, SaccadeError) else Code.INTERNAL)
    if isinstance(error, SaccadeError):
        level = logging.WARNING if error.code in _OURS | _SUSPICIOUS else logging.INFO
        if log.isEnabledFor(level) and not log_is_full(error.code.name):
            text = error.message[:MAX_TEXT]
            fields = _fields(path, call, error.code, seconds)
            log.log(level, "%s: %s", error.code.name, text, extra={"fields": fields})
        return error
    call.request_id = call.known_id
    fields = _fields(path, call, Code.INTERNAL, seconds)
    log.error("INTERNAL", exc_info=error, extra={"fields": fields})
    return SaccadeError(f"internal error (request id {call.request_id})")


def log_cancelled(path: str, call: Call, seconds: float, *, streams: bool) -> None:
    """Tells of a call that ended before its answer: its caller has gone, or the deadline passed.

    A caller that ends a stream, though, has mostly heard enough.
    """
    if call.trace is not None:
        call.trace.fail(Code.CANCELLED)
    level = logging.DEBUG if streams else logging.INFO
    if log.isEnabledFor(level) and not log_is_full(Code.CANCELLED.name):
        fields = _fields(path, call, Code.CANCELLED, seconds)
        left_s = call.remaining_s()
        why = "the caller has gone" if left_s is None or left_s > 0 else "the deadline passed"
        log.log(level, "CANCELLED: %s", why, extra={"fields": fields})


def _fields(path: str, call: Call, code: Code, seconds: float) -> dict[str, object]:
    fields: dict[str, object] = {
        "request_id": call.known_id,
        "method": path,
        "model": call.model,
        "code": code.name,
        "duration_s": round(seconds, 6),
        "peer": call.peer,
    }
    context = read_trace_context(call.metadata)
    return fields if context is None else {**fields, "trace_id": context.trace_id}
