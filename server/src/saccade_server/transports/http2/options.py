"""The limits of the HTTP/2 transport, each with its reason."""

from dataclasses import dataclass
from typing import Self

from saccade_server.transports.limits import HANDSHAKE_S, ConnectionLimits

DEFAULT_WINDOW_BYTES = 65535
"""What both sides start with (RFC 9113, section 6.9.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Http2Options:
    """What a peer may use of our memory and patience.

    A connection holds at most `max_streams * stream_window_bytes` of small requests and the
    limit of one message of large ones; once large ones have come, a stream's window may be
    `most_window_bytes`, so that one connection can hold half of `max_held_bytes`. All connections
    together hold at most `max_held_bytes` of requests that are not complete or not yet taken by
    their handlers.

    Attributes:
        max_connections: More are closed at once. Below the usual limit of open files, 1024.
        max_streams: Of one connection, those whose handlers are being cancelled included. Clients
            wait beyond it; more than a batch of the model's, so that one channel fills batches.
        stream_window_bytes: A stream may send as much before anybody asked for it. Most requests
            fit and never need a window update. At least what HTTP/2 starts with. It grows with the
            connection's requests.
        connection_window_bytes: Renewed as bytes arrive, so it bounds no memory; it only has to
            exceed bandwidth times delay.
        max_held_bytes: See above; a large request beyond it is refused.
        max_header_bytes: Of a decoded header list, as HTTP/2 counts it. grpcio's own limit.
        max_block_bytes: Of an encoded header block, all its CONTINUATION frames together.
        max_continuations: Of one header block; several times what a block of that size needs.
        max_unsent_bytes: Of answers of one connection; beyond it new streams are refused.
        max_buffered_replies_bytes: Of acknowledgements that a peer asks for but does not read.
        small_frames_per_s: Frames that cost us work and bring nothing (resets, pings, settings,
            empty data, priorities). Clients whose deadlines pass under overload do send hundreds
            of resets a second; at this limit an attacker gets a few percent of a processor.
        handshake_s: For TLS, preface and first SETTINGS.
        frame_s: For the rest of a frame, or of a header block, that has begun.
        stall_s: Without a byte of a request that has begun, or of an answer that is complete.
        receive_s: For a request of one message, or each message of a stream, to come whole.
        keepalive_s: Of silence, after which we ask whether the peer lives.
        keepalive_timeout_s: It then has as long to say anything.
        idle_s: Without a call, after which a connection is closed in the polite way; clients
            connect anew when they need to.
        low_water_bytes: Of unsent messages of a stream; above it the handler waits.
    """

    max_connections: int = 1000
    max_streams: int = 256
    stream_window_bytes: int = DEFAULT_WINDOW_BYTES
    connection_window_bytes: int = 8 << 20
    max_held_bytes: int = 512 << 20
    max_header_bytes: int = 16 << 10
    max_block_bytes: int = 32 << 10
    max_continuations: int = 16
    max_unsent_bytes: int = 16 << 20
    max_buffered_replies_bytes: int = 256 << 10
    small_frames_per_s: int = 2000
    handshake_s: int = HANDSHAKE_S
    frame_s: int = 30
    stall_s: int = 60
    receive_s: int = 120
    keepalive_s: int = 60
    keepalive_timeout_s: int = 20
    idle_s: int = 900
    low_water_bytes: int = 64 << 10

    @classmethod
    def within(cls, limits: ConnectionLimits) -> Self:
        """The defaults, with the limits that were set."""
        return cls(
            max_connections=limits.max_connections,
            max_streams=limits.max_streams,
            max_header_bytes=limits.max_header_bytes,
            max_block_bytes=2 * limits.max_header_bytes,
            receive_s=limits.receive_s,
            keepalive_s=limits.keepalive_s,
            keepalive_timeout_s=limits.keepalive_timeout_s,
            idle_s=limits.idle_s,
        )

    @property
    def most_window_bytes(self) -> int:
        """What a stream may send unasked, at most: 1 MiB by default."""
        return max(self.stream_window_bytes, self.max_held_bytes // (2 * self.max_streams))

    def __post_init__(self) -> None:
        """A smaller window could be overrun before the peer has read our settings."""
        if self.stream_window_bytes < DEFAULT_WINDOW_BYTES:
            raise ValueError(f"stream_window_bytes must be at least {DEFAULT_WINDOW_BYTES}")
        if self.connection_window_bytes < DEFAULT_WINDOW_BYTES:
            raise ValueError(f"connection_window_bytes must be at least {DEFAULT_WINDOW_BYTES}")
