"""The few HTTP/2 frames (RFC 9113) and the HPACK form (RFC 7541) that a gRPC caller sends.

Headers are literals without indexing and without Huffman coding: every request of a kind then has
the same bytes, but for its stream number, and is encoded once.
"""

from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA = 0x0
HEADERS = 0x1
RST_STREAM = 0x3
SETTINGS = 0x4
PING = 0x6
GOAWAY = 0x7
WINDOW_UPDATE = 0x8
CONTINUATION = 0x9

END_STREAM = 0x1
ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20

CANCEL = 0x8
"""Error code of a RST_STREAM by a caller who has gone."""

SETTINGS_HEADER_TABLE_SIZE = 0x1
SETTINGS_ENABLE_PUSH = 0x2
SETTINGS_INITIAL_WINDOW_SIZE = 0x4

HEAD_BYTES = 9
MAX_FRAME_BYTES = 16384
"""What every peer must take."""

DEFAULT_WINDOW = 65535
MAX_WINDOW = 2**31 - 1


class Frame(NamedTuple):
    """One frame as received; a tuple, because it is made for every frame of a load."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def encode_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """The bytes of a frame."""
    return frame_start(kind, flags, len(payload)) + stream.to_bytes(4, "big") + payload


def frame_start(kind: int, flags: int, length: int) -> bytes:
    """The part of a frame before its stream number."""
    return length.to_bytes(3, "big") + bytes((kind, flags))


def encode_settings(values: dict[int, int]) -> bytes:
    """The bytes of a SETTINGS frame."""
    pairs = [key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in values.items()]
    return encode_frame(SETTINGS, 0, 0, b"".join(pairs))


def decode_settings(payload: bytes) -> dict[int, int]:
    """The values of a SETTINGS frame by their number."""
    return {
        int.from_bytes(payload[at : at + 2], "big"): int.from_bytes(payload[at + 2 : at + 6], "big")
        for at in range(0, len(payload), 6)
    }


def encode_headers(headers: list[tuple[str, str]]) -> bytes:
    """A header block: literals without indexing, new names (RFC 7541, 6.2.2)."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in headers)


def encode_integer(value: int, prefix_bits: int) -> bytes:
    """An integer of RFC 7541, 5.1, its first byte's upper bits zero."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes((value,))
    encoded = bytearray((limit,))
    value -= limit
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def split_frames(data: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames at the start of `data`, and the bytes that are left over."""
    frames = []
    at, end = 0, len(data)
    while end - at >= HEAD_BYTES:
        after = at + HEAD_BYTES + int.from_bytes(data[at : at + 3], "big")
        if after > end:
            break
        stream = int.from_bytes(data[at + 5 : at + 9], "big") & MAX_WINDOW
        frames.append(Frame(data[at + 3], data[at + 4], stream, data[at + HEAD_BYTES : after]))
        at = after
    return frames, data[at:]


def _string(text: str) -> bytes:
    data = text.encode("ascii")
    return encode_integer(len(data), 7) + data
