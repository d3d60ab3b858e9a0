"""The HTTP/2 transport: listens, and knows all connections."""

import asyncio
import logging
import socket
import ssl
from contextlib import suppress

from saccade_server.credentials import Certificates
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Method
from saccade_server.transports.http2.connection import Connection, Shared
from saccade_server.transports.http2.intake import Pool
from saccade_server.transports.http2.options import Http2Options

log = logging.getLogger(__name__)

_BACKLOG = 1024
_TICK_S = 1.0
_CLOSE_S = 2.0
"""Bound for what is left to be sent once the grace is over."""


class Http2Transport:
    """A gRPC server on one port.

    Args:
        methods: All that can be called.
        answerer: What answers them.
        address: HOST:PORT, or [HOST]:PORT for IPv6; port 0 takes a free one.
        max_message_bytes: Of a request.
        share_port: Whether other processes listen on it too.
        options: Limits.
        tls: Of the server, or None for plain TCP; gets the protocol `h2` to offer.

    Raises:
        OSError: The port is taken, or the host has no address here.
    """

    def __init__(
        self,
        methods: list[Method],
        answerer: Answerer,
        *,
        address: str,
        max_message_bytes: int,
        share_port: bool = False,
        options: Http2Options | None = None,
        tls: ssl.SSLContext | Certificates | None = None,
    ) -> None:
        self._options = options or Http2Options()
        self._shared = Shared(
            methods={method.path: method for method in methods},
            answerer=answerer,
            max_message_bytes=max_message_bytes,
            options=self._options,
            pool=Pool(self._options.max_held_bytes),
            on_closed=self._on_closed,
        )
        self._tls = tls.context() if isinstance(tls, Certificates) else tls
        if self._tls is not None:
            self._tls.set_alpn_protocols(["h2"])
        self._sockets = _bind(address, share_port=share_port)
        self.port: int = self._sockets[0].getsockname()[1]
        self._servers: list[asyncio.Server] = []
        self._ticking: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()

    async def start(self) -> None:
        """Begins to answer."""
        loop = asyncio.get_running_loop()
        handshake_s = float(self._options.handshake_s) if self._tls else None
        for each in self._sockets:
            server = await loop.create_server(
                lambda: Connection(self._shared, loop),
                sock=each,
                backlog=_BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=handshake_s,
            )
            self._servers.append(server)
        self._ticking = loop.call_later(_TICK_S, self._tick)

    async def stop(self, grace_s: float) -> None:
        """Takes no new calls; ends those under way after `grace_s` seconds."""
        for server in self._servers:
            server.close()
        for connection in list(self._shared.connections):
            connection.drain()
        await self._wait_empty(grace_s)
        tasks = {task for each in self._shared.connections for task in each.streams.tasks}
        for connection in list(self._shared.connections):
            connection.end()
        await self._wait_empty(_CLOSE_S)
        for connection in list(self._shared.connections):
            connection.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSE_S)
        if self._ticking is not None:
            self._ticking.cancel()

    async def _wait_empty(self, timeout_s: float) -> None:
        if self._shared.connections:
            self._empty.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), timeout_s)

    def _on_closed(self) -> None:
        if not self._shared.connections:
            self._empty.set()

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(_TICK_S, self._tick)
        for connection in list(self._shared.connections):
            connection.tick()


def _bind(address: str, *, share_port: bool) -> list[socket.socket]:
    """Sockets on all addresses of the host, on one port."""
    host, _, text = address.rpartition(":")
    host, port = host.strip("[]"), int(text)
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, where in dict.fromkeys(found):
            sockets.append(
                _listener(
                    family, kind, protocol, (where[0], port, *where[2:]), share_port=share_port
                )
            )
            port = port or sockets[0].getsockname()[1]
    except OSError as error:
        for each in sockets:
            each.close()
        raise OSError(f"cannot listen on {address}: {error}") from error
    return sockets


def _listener(
    family: int, kind: int, protocol: int, where: tuple[object, ...], *, share_port: bool
) -> socket.socket:
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(where)
    except OSError:
        listener.close()
        raise
    return listener
