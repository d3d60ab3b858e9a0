"""The limits of connections that both transports know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What callers may have of connections; why these defaults: `http2/options.py`.

    Attributes:
        max_connections: At the same time; more are closed at once.
        max_streams: Calls under way of one connection; the caller waits with more.
        max_header_bytes: Of one call, as HTTP/2 counts them.
        keepalive_s: Of silence, after which we ask whether the peer lives.
        keepalive_timeout_s: It then has as long to say anything.
        idle_s: Without a call, after which a connection is closed in the polite way.
    """

    max_connections: int = 1000
    max_streams: int = 256
    max_header_bytes: int = 16 << 10
    keepalive_s: int = 60
    keepalive_timeout_s: int = 20
    idle_s: int = 900
