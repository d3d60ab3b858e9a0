"""One connection: cuts bytes into frames, and brings the connection to its end."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from saccade_server.services.answer import Answerer
from saccade_server.services.call import Method
from saccade_server.transports.http2 import frames
from saccade_server.transports.http2.errors import ErrorCode, Violation
from saccade_server.transports.http2.guard import Guard
from saccade_server.transports.http2.headers import HeaderReader
from saccade_server.transports.http2.intake import Budget, Pool
from saccade_server.transports.http2.lag import Lag
from saccade_server.transports.http2.options import Http2Options
from saccade_server.transports.http2.outbox import Outbox
from saccade_server.transports.http2.session import Session
from saccade_server.transports.http2.streams import Streams
from saccade_server.transports.http2.troubles import tell_trouble
from saccade_server.transports.http2.upkeep import Upkeep, Verdict

_DRAIN_PING = b"draining"
_LIFE_PING = b"are you?"

_CLOSE_TICKS = 3
"""Seconds for the peer to read the last bytes and to close."""

_DRAIN_TICKS = 2
"""Ticks that a peer has to acknowledge that it knows of the drain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all connections of a server share.

    Attributes:
        on_closed: Called when a connection has left `connections`.
        lag: Of the loop.
    """

    methods: Mapping[str, Method]
    answerer: Answerer
    max_message_bytes: int
    options: Http2Options
    pool: Pool
    on_closed: Callable[[], None]
    lag: Lag = field(default_factory=Lag)
    connections: "set[Connection]" = field(default_factory=set)


class Connection(asyncio.Protocol):
    """Speaks HTTP/2 with one peer.

    Args:
        shared: With the other connections.
        loop: Everything runs in it.
    """

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        self._shared = shared
        self._loop = loop
        self._rest = b""
        self._greeted = False
        self._closing = False
        self._draining = False
        self._ticks = 0
        self._ticks_left = 0
        self._upkeep = Upkeep(shared.options)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Says hello, or closes at once where there are too many connections."""
        shared = self._shared
        self._transport = cast(asyncio.Transport, transport)
        self._outbox = Outbox(self._transport, self._loop, shared.options, shared.lag)
        guard = Guard(shared.options.small_frames_per_s)
        self.streams = Streams(
            loop=self._loop,
            answerer=shared.answerer,
            outbox=self._outbox,
            budget=Budget(shared.max_message_bytes + 5, shared.pool),
            guard=guard,
            options=shared.options,
            max_message_bytes=shared.max_message_bytes,
            peer=_peer(transport),
            on_idle=self._on_idle,
            lag=shared.lag,
        )
        self._session = Session(
            streams=self.streams,
            outbox=self._outbox,
            headers=HeaderReader(shared.methods, shared.options),
            guard=guard,
            options=shared.options,
            on_pong=self._on_pong,
        )
        shared.connections.add(self)
        if len(shared.connections) > shared.options.max_connections or not _speaks_h2(transport):
            tell_trouble(self.streams.peer, "closed at once", "CONNECTION_REFUSED")
            self._drop()
        else:
            self._session.greet()

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody waits for the answers any more."""
        self._closing = True
        self.streams.cancel_all()
        self._shared.connections.discard(self)
        self._shared.on_closed()

    def pause_writing(self) -> None:
        """The peer reads more slowly than we send."""
        self._outbox.paused = True

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._outbox.resume()

    def data_received(self, data: bytes) -> None:
        """Handles what came."""
        self._upkeep.heard = True
        if self._closing:
            return
        try:
            self._read(self._rest + data if self._rest else data)
        except Violation as violation:
            self._fail(violation)

    def tick(self) -> None:
        """A second has passed."""
        if self._closing:
            self._ticks_left -= 1
            if self._ticks_left <= 0:
                self._transport.abort()
            return
        self._session.tick()
        self.streams.tick()
        self._ticks += 1
        if self._ticks % self._shared.options.stall_s == 0:
            self.streams.reset_stalled()
        if self._draining and not self.streams.refusing:
            self._ticks_left -= 1
            if self._ticks_left <= 0:
                self._refuse()
        self._follow(
            self._upkeep.tick(
                settled=self._session.settled,
                in_frame=bool(self._rest) or self._session.in_block,
                stuck=self._outbox.stuck(),
                calls=len(self.streams),
            )
        )

    def drain(self) -> None:
        """Takes no new calls, without losing any; closes behind the last one.

        Two steps, as RFC 9113 has them (section 6.8): first the peer learns that it should go
        elsewhere; calls that it sends before it has are still answered.
        """
        if self._closing or self._draining:
            return
        self._draining = True
        if not self._session.settled:
            self._close()
            return
        self._ticks_left = _DRAIN_TICKS
        self._outbox.push(
            frames.goaway(frames.STREAM_MASK, ErrorCode.NO_ERROR, "draining")
            + frames.frame(frames.PING, 0, 0, _DRAIN_PING)
        )

    def end(self) -> None:
        """Ends the calls that are left, then the connection."""
        if not self._closing:
            self.streams.refusing = True
            self.streams.end_all()
            self._outbox.push(frames.goaway(self.streams.last, ErrorCode.NO_ERROR, "stopped"))
            self._close()

    def abort(self) -> None:
        """Closes at once, whatever is not sent."""
        self._transport.abort()

    def _read(self, data: bytes) -> None:
        position = 0
        if not self._greeted:
            if len(data) < len(frames.PREFACE) and frames.PREFACE.startswith(data):
                self._rest = data
                return
            if not data.startswith(frames.PREFACE):
                raise Violation(ErrorCode.PROTOCOL_ERROR, "no HTTP/2 preface")
            self._greeted = True
            position = len(frames.PREFACE)
        size = len(data)
        read_head = frames.read_head
        handle = self._session.handle
        while size - position >= frames.HEAD_BYTES:
            high, low, kind, flags, number = read_head(data, position)
            length = high << 8 | low
            if length > frames.FRAME_BYTES:
                raise Violation(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            position += frames.HEAD_BYTES
            if position + length > size:
                position -= frames.HEAD_BYTES
                break
            handle(kind, flags, number & frames.STREAM_MASK, data[position : position + length])
            position += length
        if position and not self._session.in_block:
            self._upkeep.frame_ended()
        self._rest = data[position:]

    def _follow(self, verdict: Verdict) -> None:
        if verdict is Verdict.ASK:
            self._outbox.push(frames.frame(frames.PING, 0, 0, _LIFE_PING))
        elif verdict is Verdict.RETIRE:
            self.drain()
        elif verdict is Verdict.DROP:
            tell_trouble(self.streams.peer, "too slow, or dead", "CONNECTION_DROPPED")
            self._drop()

    def _on_pong(self, content: bytes) -> None:
        if content == _DRAIN_PING and self._draining and not self.streams.refusing:
            self._refuse()

    def _refuse(self) -> None:
        """The second step of the drain."""
        self.streams.refusing = True
        self._outbox.push(frames.goaway(self.streams.last, ErrorCode.NO_ERROR, "draining"))
        self._on_idle()

    def _on_idle(self) -> None:
        if self.streams.refusing and not len(self.streams) and not self._closing:
            self._close()

    def _fail(self, violation: Violation) -> None:
        tell_trouble(self.streams.peer, violation.text, violation.code.name)
        self._closing = True
        self.streams.cancel_all()
        self._outbox.push(frames.goaway(self.streams.last, violation.code, violation.text))
        self._close()

    def _close(self) -> None:
        """Says that nothing follows, and lets the peer close.

        Closing both directions while the peer still sends, if only a window update, would make
        the kernel throw away what the peer has not read yet: whole answers.
        """
        self._closing = True
        self._ticks_left = _CLOSE_TICKS
        self._outbox.flush()
        if self._transport.can_write_eof():
            with suppress(OSError):  # The peer has gone, and we have not been told yet.
                self._transport.write_eof()

    def _drop(self) -> None:
        self._closing = True
        self.streams.cancel_all()
        self._transport.abort()


def _speaks_h2(transport: asyncio.BaseTransport) -> bool:
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return tls is None or tls.selected_alpn_protocol() == "h2"


def _peer(transport: asyncio.BaseTransport) -> str:
    """The caller's address, as grpcio writes it."""
    address = transport.get_extra_info("peername")
    if not address:
        return ""
    host, port = address[:2]
    return f"ipv6:%5B{host}%5D:{port}" if ":" in host else f"ipv4:{host}:{port}"
