"""HTTP/2 frames: their numbers, how to write them and how to read what is in them (RFC 9113)."""

import struct
from typing import Final

from saccade_server.transports.http2.errors import ErrorCode, Violation

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
WITH_PRIORITY: Final = 0x20

MAX_CONCURRENT_STREAMS: Final = 3
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_HEADER_LIST_SIZE: Final = 6
_ENABLE_PUSH: Final = 2

HEAD_BYTES: Final = 9
FRAME_BYTES: Final = 16384
"""Largest payload that HTTP/2 starts with. We take no larger ones, which keeps what is copied for
a frame that arrives in pieces small."""

MAX_WINDOW: Final = (1 << 31) - 1
STREAM_MASK: Final = (1 << 31) - 1

read_head = struct.Struct("!HBBBI").unpack_from
"""Of a buffer and an offset: the length's upper 16 and lower 8 bits, type, flags, stream."""

_SETTING = struct.Struct("!HI")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A whole frame."""
    return frame_head(len(payload), kind, flags, stream) + payload


def frame_head(size: int, kind: int, flags: int, stream: int) -> bytes:
    """What stands before a payload of `size` bytes."""
    return ((size << 48) | (kind << 40) | (flags << 32) | stream).to_bytes(HEAD_BYTES, "big")


def settings(values: dict[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join([_SETTING.pack(*each) for each in values.items()]))


def window_update(stream: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def rst_stream(stream: int, code: ErrorCode) -> bytes:
    """An RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def goaway(last: int, code: ErrorCode, text: str = "") -> bytes:
    """A GOAWAY frame; `last` is the last stream that is or may be worked on."""
    debug = text.encode("ascii", "replace")
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + debug)


def content(payload: bytes, flags: int) -> bytes:
    """A DATA or HEADERS payload without padding and priority.

    Raises:
        Violation: They are longer than the payload.
    """
    start = end = 0
    if flags & PADDED:
        if not payload:
            raise Violation(ErrorCode.FRAME_SIZE_ERROR, "no room for the padding's length")
        start, end = 1, payload[0]
    if flags & WITH_PRIORITY:
        start += 5
        if start > len(payload):
            raise Violation(ErrorCode.FRAME_SIZE_ERROR, "no room for the priority")
    if start + end > len(payload):
        raise Violation(ErrorCode.PROTOCOL_ERROR, "more padding than payload")
    return payload[start : len(payload) - end]


def read_settings(payload: bytes) -> dict[int, int]:
    """The settings of a frame, by number; those that we do not know included.

    Raises:
        Violation: A value is out of its range.
    """
    if len(payload) % _SETTING.size:
        raise Violation(ErrorCode.FRAME_SIZE_ERROR, "a part of a setting")
    values = dict(_SETTING.iter_unpack(payload))
    if values.get(_ENABLE_PUSH, 0) > 1:
        raise Violation(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH is 0 or 1")
    if values.get(INITIAL_WINDOW_SIZE, 0) > MAX_WINDOW:
        raise Violation(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is too large")
    if not FRAME_BYTES <= values.get(MAX_FRAME_SIZE, FRAME_BYTES) < 1 << 24:
        raise Violation(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of range")
    return values
