"""grpcio's asyncio server, without what a single request could end it by.

It decodes the path of each call in the loop that takes the calls; one that is no UTF-8 ends the
loop, and with it the port, for all callers. Here the methods are registered with gRPC's core, which
compares bytes, and the loop is handed nothing else: all other calls are refused unread.
"""

import asyncio
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio
from grpc._cython import cygrpc  # type: ignore[attr-defined]


def make_server(handlers: dict[str, Any], options: list[tuple[str, int]]) -> grpc.aio.Server:
    """A server that has no port yet.

    Args:
        handlers: By path, "/package.Service/Method".
        options: Of gRPC's core.
    """
    server: Any = grpc.aio.server(options=options)
    # There is no public way to it; a test sends such paths.
    loop = cygrpc.get_working_loop()
    server._server = _Server(loop, None, (), (), tuple(options), None)
    for path, handler in handlers.items():
        _, service, method = path.split("/")
        server.add_registered_method_handlers(service, {method: handler})
    made: grpc.aio.Server = server
    return made


class _Server(cygrpc.AioServer):  # type: ignore[misc]
    """Answers calls of methods that are not registered by itself."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._refusals: set[asyncio.Task[None]] = set()

    async def _request_call(self) -> None:
        """Ends only by the error that says that the server stops."""
        while True:
            refusal = asyncio.ensure_future(_refuse(await super()._request_call()))
            self._refusals.add(refusal)
            refusal.add_done_callback(self._refusals.discard)


async def _refuse(state: Any) -> None:
    """Says that there is no such method; which one was meant cannot be seen from here."""
    context = cygrpc._ServicerContext(state, None, None, asyncio.get_running_loop())
    # Raised when it is told, and when the caller has gone.
    with suppress(grpc.aio.BaseError):
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "there is no such method")
