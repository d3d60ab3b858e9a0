"""How an error becomes the status of a call, whatever the transport."""

import re

from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from saccade_server.errors import SaccadeError

DETAILS = "grpc-status-details-bin"
"""The trailer that carries them."""

MAX_TEXT_BYTES = 2048
"""Of an error's text, encoded: clients refuse headers that are too long."""

_PLAIN_TEXT = re.compile(r"[ -$&-~]*")
_PLAIN = frozenset(range(0x20, 0x7F)) - {ord("%")}


def percent_encode(text: str) -> str:
    """The form of an error's text in the header `grpc-message`, cut where it gets too long."""
    if _PLAIN_TEXT.fullmatch(text):
        return text[:MAX_TEXT_BYTES]
    return "".join(map(_encode, short_text(text)))


def short_text(text: str) -> str:
    """As much of an error's text as a header may hold once it is encoded."""
    if 12 * len(text) <= MAX_TEXT_BYTES:  # A character has up to four bytes, of three letters each.
        return text
    size = 0
    for position, character in enumerate(text):
        size += len(_encode(character))
        if size > MAX_TEXT_BYTES:
            return text[:position]
    return text


def _encode(character: str) -> str:
    octets = character.encode("utf-8", "replace")
    return "".join(chr(x) if x in _PLAIN else f"%{x:02X}" for x in octets)


def status_details(error: SaccadeError) -> bytes:
    """A serialised google.rpc.Status with RetryInfo, or nothing where no retry makes sense."""
    if error.retry_after_s is None:
        return b""
    delay = duration_pb2.Duration()
    delay.FromMicroseconds(round(error.retry_after_s * 1e6))
    packed = any_pb2.Any()
    packed.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=error.code, message=error.message, details=[packed])
    return bytes(status.SerializeToString())
