"""What the app knows of a transport, and the choice of one."""

from typing import Protocol

from saccade_server.credentials import Certificates
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Method
from saccade_server.transports.grpcio import GrpcioTransport
from saccade_server.transports.http2 import Http2Options, Http2Transport
from saccade_server.transports.limits import ConnectionLimits


class Transport(Protocol):
    """A server of gRPC on one port, which it has from the beginning."""

    port: int

    async def start(self) -> None:
        """Begins to answer."""

    async def stop(self, grace_s: float) -> None:
        """Takes no new calls; ends those under way after `grace_s` seconds."""


def make_transport(
    kind: str,
    methods: list[Method],
    answerer: Answerer,
    *,
    address: str,
    max_message_bytes: int,
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - a constant
    share_port: bool = False,
    tls: Certificates | None = None,
) -> Transport:
    """A transport that listens and does not answer yet.

    Args:
        kind: "grpcio" or "http2".
        methods: All that can be called.
        answerer: What answers them.
        address: HOST:PORT; port 0 takes a free one.
        max_message_bytes: Of a request.
        limits: Of connections.
        share_port: Whether other processes listen on it too.
        tls: Of the server, or None for plain TCP.

    Raises:
        OSError: The port is taken.
    """
    if kind == "grpcio":
        return GrpcioTransport(
            methods,
            answerer,
            address=address,
            max_message_bytes=max_message_bytes,
            limits=limits,
            share_port=share_port,
            tls=tls,
        )
    return Http2Transport(
        methods,
        answerer,
        address=address,
        max_message_bytes=max_message_bytes,
        options=Http2Options.within(limits),
        share_port=share_port,
        tls=tls,
    )
