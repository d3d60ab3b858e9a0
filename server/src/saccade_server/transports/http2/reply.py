"""The headers of an answer. Nearly all of them are constant bytes."""

import base64

from saccade_server.errors import Code, SaccadeError
from saccade_server.services.compression import ACCEPTED
from saccade_server.transports.http2.hpack import literal
from saccade_server.transports.status import (
    DETAILS,
    MAX_TEXT_BYTES,
    percent_encode,
    status_details,
)

_OK = b"\x88"
"""`:status: 200`, an entry of HPACK's static table."""

_CONTENT_TYPE = literal("content-type", "application/grpc")

HEADERS = _OK + _CONTENT_TYPE + literal("grpc-accept-encoding", ",".join(ACCEPTED))
"""Before the first message of an answer."""

TRAILERS = literal("grpc-status", "0")
"""Behind the last message of an answer."""


def error_trailers(error: SaccadeError) -> bytes:
    """Behind the last message, if any, of an answer that failed."""
    trailers = literal("grpc-status", str(int(error.code)))
    trailers += literal("grpc-message", percent_encode(error.message))
    details = status_details(error)
    if 0 < len(details) <= MAX_TEXT_BYTES:
        trailers += literal(DETAILS, base64.b64encode(details).rstrip(b"=").decode())
    return trailers


def without_answer(error: SaccadeError) -> bytes:
    """The only headers of a call that fails before its first message."""
    return HEADERS + error_trailers(error)


def not_grpc(http_status: int) -> bytes:
    """The only headers for a caller that speaks no gRPC."""
    text = "this port takes POST with content-type application/grpc"
    return (
        literal(":status", str(http_status))
        + _CONTENT_TYPE
        + literal("grpc-status", str(int(Code.INTERNAL)))
        + literal("grpc-message", text)
    )
