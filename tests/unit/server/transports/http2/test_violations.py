"""What a peer may not do, byte by byte, and the code that it gets for it (RFC 9113)."""

import hpack
import pytest

from fixtures.http2_peer import SETTINGS, Peer, data, head, said
from saccade_server.transports.http2 import Http2Options, frames
from saccade_server.transports.http2.errors import ErrorCode
from saccade_server.transports.http2.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    frame,
    window_update,
)

HEAD = hpack.Encoder().encode(head())
OPEN = frame(HEADERS, END_HEADERS, 1, HEAD)
REQUEST = OPEN + data(1, said(b"x"), ended=True)
HOLD = frame(HEADERS, END_HEADERS, 1, hpack.Encoder().encode(head("Hold"))) + data(
    1, said(b"x"), ended=True
)
RESET = frames.rst_stream(1, ErrorCode.CANCEL)


def setting(number: int, value: int) -> bytes:
    return frames.settings({number: value})


OF_THE_CONNECTION = {
    "a frame larger than we take": (b"\x00\x40\x01" + bytes(6), "FRAME_SIZE_ERROR"),
    "data on stream 0": (data(0, b"x"), "PROTOCOL_ERROR"),
    "data on an idle stream": (data(1, b"x"), "PROTOCOL_ERROR"),
    "data on a stream of ours": (data(2, b"x"), "PROTOCOL_ERROR"),
    "padding without room for its length": (OPEN + frame(DATA, PADDED, 1), "FRAME_SIZE_ERROR"),
    "more padding than data": (OPEN + frame(DATA, PADDED, 1, b"\x02x"), "PROTOCOL_ERROR"),
    "headers on stream 0": (frame(HEADERS, END_HEADERS, 0, HEAD), "PROTOCOL_ERROR"),
    "headers on an even stream": (frame(HEADERS, END_HEADERS, 2, HEAD), "PROTOCOL_ERROR"),
    "a stream number that goes down": (
        frame(HEADERS, END_HEADERS, 5, HEAD) + OPEN,
        "STREAM_CLOSED",
    ),
    "headers on a stream that was reset": (OPEN + RESET + OPEN, "STREAM_CLOSED"),
    "more padding than headers": (
        frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff" + HEAD),
        "PROTOCOL_ERROR",
    ),
    "headers without room for their priority": (
        frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, b"\x00"),
        "FRAME_SIZE_ERROR",
    ),
    "headers that are no HPACK": (frame(HEADERS, END_HEADERS, 1, b"\x80"), "COMPRESSION_ERROR"),
    "a block that another frame interrupts": (
        frame(HEADERS, 0, 1, HEAD) + frame(PING, 0, 0, bytes(8)),
        "PROTOCOL_ERROR",
    ),
    "a block that an unknown frame interrupts": (
        frame(HEADERS, 0, 1, HEAD) + frame(99, 0, 0),
        "PROTOCOL_ERROR",
    ),
    "a block that goes on on another stream": (
        frame(HEADERS, 0, 1, HEAD) + frame(CONTINUATION, END_HEADERS, 3),
        "PROTOCOL_ERROR",
    ),
    "a continuation of nothing": (frame(CONTINUATION, END_HEADERS, 1), "PROTOCOL_ERROR"),
    "a continuation of what has ended": (
        OPEN + frame(CONTINUATION, END_HEADERS, 1),
        "PROTOCOL_ERROR",
    ),
    "too many continuations": (
        frame(HEADERS, 0, 1, HEAD) + frame(CONTINUATION, 0, 1) * 17,
        "ENHANCE_YOUR_CALM",
    ),
    "a block that is too large": (
        frame(HEADERS, 0, 1, bytes(16384)) + frame(CONTINUATION, 0, 1, bytes(16384)) * 2,
        "ENHANCE_YOUR_CALM",
    ),
    "a priority of stream 0": (frame(PRIORITY, 0, 0, bytes(5)), "PROTOCOL_ERROR"),
    "a priority of four bytes": (frame(PRIORITY, 0, 1, bytes(4)), "FRAME_SIZE_ERROR"),
    "a reset of stream 0": (frames.rst_stream(0, ErrorCode.CANCEL), "PROTOCOL_ERROR"),
    "a reset of an idle stream": (RESET, "PROTOCOL_ERROR"),
    "a reset of three bytes": (OPEN + frame(RST_STREAM, 0, 1, bytes(3)), "FRAME_SIZE_ERROR"),
    "settings of a stream": (frame(frames.SETTINGS, 0, 1), "PROTOCOL_ERROR"),
    "half a setting": (frame(frames.SETTINGS, 0, 0, bytes(5)), "FRAME_SIZE_ERROR"),
    "an acknowledgement with settings": (
        frame(frames.SETTINGS, frames.ACK, 0, bytes(6)),
        "FRAME_SIZE_ERROR",
    ),
    "push that is neither on nor off": (setting(2, 2), "PROTOCOL_ERROR"),
    "a window that is too large": (setting(4, 1 << 31), "FLOW_CONTROL_ERROR"),
    "frames that are too small": (setting(5, 16383), "PROTOCOL_ERROR"),
    "frames that are too large": (setting(5, 1 << 24), "PROTOCOL_ERROR"),
    "a window that a setting makes overflow": (
        HOLD + window_update(1, (1 << 31) - 65536) + setting(4, 65536 + 65535),
        "FLOW_CONTROL_ERROR",
    ),
    "a push": (OPEN + frame(PUSH_PROMISE, END_HEADERS, 1, bytes(4)), "PROTOCOL_ERROR"),
    "a ping of a stream": (frame(PING, 0, 1, bytes(8)), "PROTOCOL_ERROR"),
    "a ping of seven bytes": (frame(PING, 0, 0, bytes(7)), "FRAME_SIZE_ERROR"),
    "a goaway of a stream": (frame(GOAWAY, 0, 1, bytes(8)), "PROTOCOL_ERROR"),
    "a goaway of seven bytes": (frame(GOAWAY, 0, 0, bytes(7)), "FRAME_SIZE_ERROR"),
    "a window update of three bytes": (
        frame(WINDOW_UPDATE, 0, 0, bytes(3)),
        "FRAME_SIZE_ERROR",
    ),
    "a window update of nothing": (window_update(0, 0), "PROTOCOL_ERROR"),
    "a window update of an idle stream": (window_update(1, 1), "PROTOCOL_ERROR"),
    "a connection's window that overflows": (
        window_update(0, (1 << 31) - 65535),
        "FLOW_CONTROL_ERROR",
    ),
}


@pytest.mark.parametrize(("sent", "code"), OF_THE_CONNECTION.values(), ids=list(OF_THE_CONNECTION))
async def test_a_violation_ends_the_connection(sent: bytes, code: str) -> None:
    """With GOAWAY and the code that RFC 9113 gives it."""
    peer = Peer()

    peer.send(sent)

    assert [ErrorCode[code]] == await peer.codes(GOAWAY)
    assert peer.transport.closed


OF_A_STREAM = {
    "data behind the end": (HOLD + data(1, b"x"), "STREAM_CLOSED"),
    "headers behind the end": (
        HOLD + frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x00\x01a\x01b"),
        "STREAM_CLOSED",
    ),
    "data on a stream that the peer has reset": (HOLD + RESET + data(1, b"x"), "STREAM_CLOSED"),
    "headers that HTTP/2 forbids": (
        frame(HEADERS, END_HEADERS, 1, hpack.Encoder().encode([("A", "b")])),
        "PROTOCOL_ERROR",
    ),
    "trailers that end nothing": (
        OPEN + frame(HEADERS, END_HEADERS, 1, hpack.Encoder().encode([("a", "b")])),
        "PROTOCOL_ERROR",
    ),
    "a body that is not as long as it says": (
        frame(HEADERS, END_HEADERS, 1, hpack.Encoder().encode(head("Say", ("content-length", "9"))))
        + data(1, said(b"x"), ended=True),
        "PROTOCOL_ERROR",
    ),
    "a window update of nothing": (HOLD + window_update(1, 0), "PROTOCOL_ERROR"),
    "a window that overflows": (HOLD + window_update(1, (1 << 31) - 1), "FLOW_CONTROL_ERROR"),
    "more than the window": (
        frame(HEADERS, END_HEADERS, 1, hpack.Encoder().encode(head("Chat")))
        + data(1, bytes(16384)) * 4,
        "FLOW_CONTROL_ERROR",
    ),
}


@pytest.mark.parametrize(("sent", "code"), OF_A_STREAM.values(), ids=list(OF_A_STREAM))
async def test_a_violation_of_a_stream_ends_the_stream(sent: bytes, code: str) -> None:
    """With RST_STREAM; the connection goes on."""
    peer = Peer()

    peer.send(sent)

    assert [ErrorCode[code]] == await peer.codes(RST_STREAM)
    peer.send(frame(HEADERS, END_HEADERS, 9, HEAD), data(9, said(b"on"), ended=True))
    assert said(b"on") == (await peer.answer(9))[0]


FIRST = {
    "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01" + bytes(30),
    "a preface that goes wrong": frames.PREFACE[:20] + b"????",
    "no settings": frames.PREFACE + frame(PING, 0, 0, bytes(8)),
    "an acknowledgement before settings": frames.PREFACE + frame(frames.SETTINGS, 1, 0),
}


@pytest.mark.parametrize("sent", FIRST.values(), ids=list(FIRST))
async def test_who_does_not_begin_with_preface_and_settings_is_sent_away(sent: bytes) -> None:
    """As soon as it shows."""
    peer = Peer(greet=False)

    peer.send(sent)

    assert [ErrorCode.PROTOCOL_ERROR] == await peer.codes(GOAWAY)
    assert peer.transport.closed


FLOODS = {
    "rapid reset": b"".join(
        frame(HEADERS, END_HEADERS, number, HEAD) + frames.rst_stream(number, ErrorCode.CANCEL)
        for number in range(1, 99, 2)
    ),
    "settings": SETTINGS * 49,
    "pings": frame(PING, 0, 0, bytes(8)) * 49,
    "pongs": frame(PING, frames.ACK, 0, bytes(8)) * 49,
    "priorities": frame(PRIORITY, 0, 1, bytes(5)) * 49,
    "unknown frames": frame(99, 0, 0) * 49,
    "empty data": OPEN + data(1, b"") * 49,
    "data for a closed stream": OPEN + RESET + data(1, b"") * 49,
    "streams beyond the limit": b"".join(
        frame(HEADERS, END_HEADERS, number, HEAD) for number in range(1, 211, 2)
    ),
    "window updates": window_update(0, 1) * 981,
}


@pytest.mark.parametrize("sent", FLOODS.values(), ids=list(FLOODS))
async def test_a_flood_ends_the_connection(sent: bytes) -> None:
    """Forty such frames are fine here in a second, and then no more."""
    peer = Peer(Http2Options(small_frames_per_s=49, max_streams=50))

    peer.send(sent)

    assert [ErrorCode.ENHANCE_YOUR_CALM] == await peer.codes(GOAWAY)
    assert peer.transport.closed


async def test_the_same_frames_over_some_seconds_are_no_flood() -> None:
    """Callers whose deadlines pass do send many resets."""
    peer = Peer(Http2Options(small_frames_per_s=49))

    for _ in range(5):
        peer.send(frame(PING, 0, 0, bytes(8)) * 40)
        peer.connection.tick()

    assert 200 == len([x for x in await peer.receive() if x.kind == PING])


async def test_who_asks_for_replies_and_does_not_read_is_sent_away() -> None:
    """What waits for it is bounded."""
    peer = Peer(Http2Options(max_buffered_replies_bytes=170))
    peer.connection.pause_writing()

    peer.send(frame(PING, 0, 0, bytes(8)) * 11)

    assert [ErrorCode.ENHANCE_YOUR_CALM] == await peer.codes(GOAWAY)


async def test_one_connection_too_many_is_closed() -> None:
    """At once, without a word."""
    peer = Peer(Http2Options(max_connections=0))

    assert peer.transport.aborted


async def test_what_comes_behind_a_violation_is_not_read() -> None:
    """The two ends no longer agree on anything."""
    peer = Peer()
    peer.send(frame(CONTINUATION, 0, 1))
    await peer.receive()

    peer.send(REQUEST)

    assert [] == await peer.receive()
