"""What goes with each call beside its message: the caller's own pairs, the token, the trace."""

import sys
from pathlib import Path

from saccade._credentials import TokenFile
from saccade._options import AUTHORIZATION, ClientOptions

Metadata = tuple[tuple[str, str | bytes], ...]

_TRACE_PARENT = "traceparent"
_TRACE_STATE = "tracestate"


class CallMetadata:
    """The metadata of a client's calls. Threads may share it.

    Args:
        options: Of the client.

    Raises:
        InputError: The token file cannot be read, or holds no token.
    """

    def __init__(self, options: ClientOptions) -> None:
        path = options.token_file
        self._file = None if path is None else TokenFile(Path(path))
        self._given: Metadata = options.metadata
        if options.token is not None:
            self._given = (*options.metadata, _bearer(options.token))
        self._traced = any(key == _TRACE_PARENT for key, _ in options.metadata)

    def __call__(self) -> Metadata:
        """What goes with a call that begins now."""
        metadata = self._given
        if self._file is not None:
            metadata = (*metadata, _bearer(self._file.token()))
        # Only a program that has loaded OpenTelemetry can have a span.
        if "opentelemetry.trace" in sys.modules and not self._traced:
            metadata = (*metadata, *_trace_context())
        return metadata


def _bearer(token: str) -> tuple[str, str]:
    return AUTHORIZATION, f"Bearer {token}"


def _trace_context() -> Metadata:
    """The span that is current here, as W3C's Trace Context has it; nothing where none is."""
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return ()
    ids = f"{context.trace_id:032x}-{context.span_id:016x}"
    parent = (_TRACE_PARENT, f"00-{ids}-{context.trace_flags:02x}")
    state = context.trace_state.to_header()
    return (parent, (_TRACE_STATE, state)) if state else (parent,)
