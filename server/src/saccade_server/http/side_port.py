"""Metrics for Prometheus, probes for Kubernetes, and the HTTP forms of the APIs."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from saccade_server.metrics import Collected


class SidePort:
    """An HTTP server on one port: /metrics, /livez, /readyz, and further routes.

    Args:
        collect: Gives the metrics of this moment.
        ready: Whether requests may be sent here.
        host: To listen on.
        port: 0 takes a free one.
        share_port: Whether other processes listen on it too.
        routes: Of the APIs that have an HTTP form.
        max_body_bytes: Of a request, unpacked.
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
        max_body_bytes: int = 1 << 20,
    ) -> None:
        self._collect = collect
        self._ready = ready
        self._host = host
        self.port = port
        self._share_port = share_port
        application = web.Application(client_max_size=max_body_bytes)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/livez", self._live)
        application.router.add_get("/readyz", self._ready_now)
        application.add_routes(routes)
        # A handler whose caller has gone is cancelled, as over gRPC.
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=True)

    async def start(self) -> None:
        """Begins to answer.

        Raises:
            OSError: The port is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port, reuse_port=self._share_port or None)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Ends the server."""
        await self._runner.cleanup()

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
