"""The headers of an answer. Nearly all of them are constant bytes."""

import base64
import re

from saccade_server.errors import Code, SaccadeError
from saccade_server.transports.http2.compression import ACCEPTED
from saccade_server.transports.http2.hpack import literal
from saccade_server.transports.status import DETAILS, status_details

MAX_MESSAGE_BYTES = 2048
"""Of an error's text, encoded: clients refuse headers that are too long."""

_OK = b"\x88"
"""`:status: 200`, an entry of HPACK's static table."""

_CONTENT_TYPE = literal("content-type", "application/grpc")

HEADERS = _OK + _CONTENT_TYPE + literal("grpc-accept-encoding", ",".join(ACCEPTED))
"""Before the first message of an answer."""

TRAILERS = literal("grpc-status", "0")
"""Behind the last message of an answer."""

_PLAIN_TEXT = re.compile(r"[ -$&-~]*")
_PLAIN = frozenset(range(0x20, 0x7F)) - {ord("%")}


def error_trailers(error: SaccadeError) -> bytes:
    """Behind the last message, if any, of an answer that failed."""
    trailers = literal("grpc-status", str(int(error.code)))
    trailers += literal("grpc-message", percent_encode(error.message))
    details = status_details(error)
    if 0 < len(details) <= MAX_MESSAGE_BYTES:
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


def percent_encode(text: str) -> str:
    """The form of an error's text in a header, cut where it gets too long."""
    if _PLAIN_TEXT.fullmatch(text):
        return text[:MAX_MESSAGE_BYTES]
    parts: list[str] = []
    size = 0
    for character in text:
        octets = character.encode("utf-8", "replace")
        part = "".join(chr(x) if x in _PLAIN else f"%{x:02X}" for x in octets)
        size += len(part)
        if size > MAX_MESSAGE_BYTES:
            break
        parts.append(part)
    return "".join(parts)
