"""Metrics for Prometheus and probes for Kubernetes."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder


class SidePort:
    """An HTTP server on one port: /metrics, /livez, /readyz.

    Args:
        registry: Of the metrics.
        ready: Whether requests may be sent here.
        host: To listen on.
        port: 0 takes a free one.
    """

    def __init__(
        self, registry: CollectorRegistry, ready: Callable[[], bool], *, host: str, port: int
    ) -> None:
        self._registry = registry
        self._ready = ready
        self._host = host
        self.port = port
        application = web.Application()
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/livez", self._live)
        application.router.add_get("/readyz", self._ready_now)
        self._runner = web.AppRunner(application, access_log=None)

    async def start(self) -> None:
        """Begins to answer.

        Raises:
            OSError: The port is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Ends the server."""
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    async def _live(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready_now(self, request: web.Request) -> web.Response:
        if self._ready():
            return web.Response(text="ok\n")
        return web.Response(text="not ready\n", status=503)
