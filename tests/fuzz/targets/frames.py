"""Frames of HTTP/2, each well-formed, in any order, with time passing in between."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

from fixtures.clock import settle
from fixtures.http2_peer import Peer, head, said
from saccade_server.services.answer import Answerer
from saccade_server.transports.http2 import frames

from ..catalogue import Check
from ..echoing import OPTIONS, conversations, leave

HEAD_BYTES = 4
"""Before each payload: what to do, flags, stream, and the payload's length."""

_LONGER = 0x20
_MESSAGE = 0x40
"""Bits of what to do: the payload is repeated, or becomes a whole message."""

_REPEATED = 60
_SETTLE, _TICK, _DRAIN, _PAUSE, _RESUME, _END = range(frames.CONTINUATION + 2, 17)
_MAX_TURNS = 40
_HEADS = (
    head("Say"),
    head("Split"),
    head("Join"),
    head("Chat"),
    head("Hold", ("grpc-timeout", "1m")),
    head("Say", ("grpc-encoding", "gzip"), ("content-length", "12")),
)


def seeds() -> list[bytes]:
    """Some calls, and some of what may happen to them."""
    ended, whole = frames.END_STREAM, frames.END_HEADERS
    data, headers = frames.DATA | _MESSAGE, frames.HEADERS
    turn = _step(_SETTLE)
    call = _step(headers, whole, 1, b"\0") + _step(data, ended, 1, b"hello")
    split = _step(headers, whole, 3, b"\1") + _step(data, ended, 3, b"9 x 90000")
    chat = _step(headers, whole, 5, b"\3") + _step(data, 0, 5, b"a") + turn + _step(data, 0, 5)
    held = _step(headers, whole, 7, b"\4") + _step(data, ended, 7, b"a") + turn
    large = _step(headers, whole, 9, b"\0") + _step(frames.DATA | _LONGER, 0, 9, b"\0" * 250)
    control = [
        _step(frames.WINDOW_UPDATE, 0, 0, b"\0\1\0\0"),
        _step(frames.WINDOW_UPDATE, 0, 3, b"\0\1\0\0"),
        _step(frames.SETTINGS, 0, 0, b"\0\4\0\0\0\0"),
        _step(frames.SETTINGS, frames.ACK),
        _step(frames.RST_STREAM, 0, 7, b"\0\0\0\x08"),
        _step(frames.PING, 0, 0, bytes(8)),
    ]
    return [
        call + turn,
        split + turn + control[0] + control[1] + turn,
        chat + _step(data, ended, 5, b"b") + turn + _step(_DRAIN) + turn,
        held + control[4] + turn,
        large + _step(_TICK) + control[2] + split + turn + _step(_PAUSE) + control[5],
        _step(headers, 0, 1, b"\2") + _step(frames.CONTINUATION, whole, 1) + _step(_END),
        call + split + held + turn + b"".join(control) + _step(_RESUME) + turn,
    ]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return conversations(_talk)


async def _talk(answerer: Answerer, data: bytes) -> None:
    """Whatever comes and whenever: nothing is left of it."""
    peer = Peer(OPTIONS, answerer=answerer)
    turns = 0
    for what, flags, number, payload in _steps(data):
        step = what & 0x1F
        if step <= frames.CONTINUATION + 1:
            peer.send(frames.frame(step, flags, number, _payload(peer, what, payload)))
        elif turns < _MAX_TURNS:
            turns += 1
            await _happen(peer, step)
    await leave(peer)


async def _happen(peer: Peer, step: int) -> None:
    connection = peer.connection
    if step == _TICK:
        connection.tick()
    elif step == _DRAIN:
        connection.drain()
    elif step == _PAUSE:
        connection.pause_writing()
    elif step == _RESUME:
        connection.resume_writing()
    elif step == _END:
        connection.end()
    else:
        await settle()
        peer.transport.written = b""


def _payload(peer: Peer, what: int, payload: bytes) -> bytes:
    step = what & 0x1F
    if step == frames.HEADERS and len(payload) == 1:
        return peer.block(_HEADS[payload[0] % len(_HEADS)])
    if what & _LONGER:
        return payload * _REPEATED
    return said(payload) if what & _MESSAGE else payload


def _steps(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    position = 0
    while position + HEAD_BYTES <= len(data):
        what, flags, number, size = data[position : position + HEAD_BYTES]
        start = position + HEAD_BYTES
        position = start + size
        yield what, flags, number, data[start:position]


def _step(what: int, flags: int = 0, number: int = 0, payload: bytes = b"") -> bytes:
    return bytes((what, flags, number, len(payload))) + payload
