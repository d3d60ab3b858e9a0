"""The core's names for our limits, and TLS in its form."""

from typing import Any

import grpc

from saccade_server.credentials import Certificates, KeyPair
from saccade_server.transports.limits import HANDSHAKE_S, ConnectionLimits

WINDOW_BYTES = 1 << 20
"""A stream may send as much before its handler reads; for what it reads gRPC widens the window.

gRPC would measure the path, and by that widen the windows of all streams, read or not: one that
nobody reads then holds 20 MB after a stall.
"""


def make_arguments(
    limits: ConnectionLimits, *, max_message_bytes: int, share_port: bool
) -> tuple[tuple[str, int], ...]:
    """The limits by the names that gRPC gives them.

    Args:
        limits: Of connections.
        max_message_bytes: Of a request.
        share_port: Whether other processes listen on it too.
    """
    return (
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # By default two servers would share a port without knowing of each other.
        ("grpc.so_reuseport", int(share_port)),
        # Clients may ask often whether we are alive; by default gRPC takes that for an attack and
        # ends the connection.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
        ("grpc.max_allowed_incoming_connections", limits.max_connections),
        ("grpc.max_concurrent_streams", limits.max_streams),
        # Or else calls that have ended and are not freed yet count, and callers who keep to the
        # limit are refused.
        ("grpc.http.overload_protection", 0),
        # Above the first gRPC refuses some calls, above the second all.
        ("grpc.max_metadata_size", limits.max_header_bytes),
        ("grpc.absolute_max_metadata_size", limits.max_header_bytes),
        ("grpc.keepalive_time_ms", 1000 * limits.keepalive_s),
        ("grpc.keepalive_timeout_ms", 1000 * limits.keepalive_timeout_s),
        # The one that counts: without it an answer may take a minute, whatever the other says.
        ("grpc.http2.ping_timeout_ms", 1000 * limits.keepalive_timeout_s),
        # By default a connection without calls is not asked, and its dead peer never found.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_connection_idle_ms", 1000 * limits.idle_s),
        ("grpc.server_handshake_timeout_ms", 1000 * HANDSHAKE_S),
    )


def make_credentials(tls: Certificates) -> Any:
    """The core's, which ask before each handshake for the newest pair, in threads of gRPC's."""
    credentials: Any = grpc.dynamic_ssl_server_credentials(
        _configuration(tls.current()),
        lambda: _configuration(tls.current()),
        require_client_authentication=tls.mutual,
    )
    return credentials._credentials


def _configuration(pair: KeyPair) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pair.key, pair.chain)], pair.client_ca)
