"""Metrics for Prometheus, probes for Kubernetes, and the HTTP forms of the APIs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from saccade_server.http.connections import TICK_S, Connections, HttpLimits
from saccade_server.http.errors import CLIENT_HEADER, safely
from saccade_server.metrics import Collected

_BACKLOG = 1024


class SidePort:
    """An HTTP server on one port: /metrics, /livez, /readyz, and further routes.

    Args:
        collect: Gives the metrics of this moment.
        ready: Whether requests may be sent here.
        host: To listen on.
        port: 0 takes a free one.
        share_port: Whether other processes listen on it too.
        routes: Of the APIs that have an HTTP form.
        limits: Of connections and requests.
        client_header: Names the client, where clients get equal shares.
    """

    def __init__(
        self,
        collect: Callable[[], Awaitable[CollectorRegistry | Collected]],
        ready: Callable[[], bool],
        *,
        host: str,
        port: int,
        share_port: bool = False,
        routes: Iterable[web.AbstractRouteDef] = (),
        limits: HttpLimits = HttpLimits(),  # noqa: B008 - a constant
        client_header: str = "",
    ) -> None:
        self._collect = collect
        self._ready = ready
        self._host = host
        self.port = port
        self._share_port = share_port
        self._connections = Connections(limits)
        application = web.Application(
            client_max_size=limits.max_body_bytes, middlewares=[self._follow]
        )
        application[CLIENT_HEADER] = client_header
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/livez", self._live)
        application.router.add_get("/readyz", self._ready_now)
        application.add_routes(routes)
        # A handler whose caller has gone is cancelled, as over gRPC.
        # And nobody unpacks what no handler wants: `read_body` does.
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, auto_decompress=False
        )
        self._server: asyncio.Server | None = None
        self._ticking: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begins to answer.

        Raises:
            OSError: The port is taken.
        """
        await self._runner.setup()
        make = self._runner.server
        if make is None:
            raise RuntimeError("the server was not set up")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: self._connections.protocol(make()),
            self._host,
            self.port,
            backlog=_BACKLOG,
            reuse_port=self._share_port or None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._tick()

    async def stop(self) -> None:
        """Ends the server."""
        if self._server is not None:
            self._server.close()
        if self._ticking is not None:
            self._ticking.cancel()
        await self._runner.cleanup()

    def _tick(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        self._connections.tick()

    @web.middleware
    async def _follow(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return await safely(lambda request: self._connections.follow(request, handler))(request)

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(
            body=encode(await self._collect()), headers={"Content-Type": content_type}
        )

    async def _live(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready_now(self, request: web.Request) -> web.Response:
        if self._ready():
            return web.Response(text="ok\n")
        return web.Response(text="not ready\n", status=503)
