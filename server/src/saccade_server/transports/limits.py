"""The limits of connections that both transports know."""

from dataclasses import dataclass

from saccade_server.errors import DeadlineExceeded

HANDSHAKE_S = 10
"""For TLS, and for HTTP/2 to begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What callers may have of connections; why these defaults: `http2/options.py`.

    Attributes:
        max_connections: At the same time; more are closed at once.
        max_streams: Calls under way of one connection; the caller waits with more.
        max_header_bytes: Of one call, as HTTP/2 counts them.
        receive_s: For a request to come whole, or a message of a stream that has begun; at the
            usual limit of a message that is half a megabyte a second.
        keepalive_s: Of silence, after which we ask whether the peer lives.
        keepalive_timeout_s: It then has as long to say anything.
        idle_s: Without a call, after which a connection is closed in the polite way.
    """

    max_connections: int = 1000
    max_streams: int = 256
    max_header_bytes: int = 16 << 10
    receive_s: int = 120
    keepalive_s: int = 60
    keepalive_timeout_s: int = 20
    idle_s: int = 900


def too_slow(receive_s: float) -> DeadlineExceeded:
    """What a caller gets whose request takes longer."""
    return DeadlineExceeded(f"the request did not come whole within {receive_s:g} s")
