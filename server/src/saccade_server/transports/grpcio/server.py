"""A server of gRPC's core."""

import asyncio
import logging
from typing import Any

from saccade_server.credentials import Certificates
from saccade_server.errors import SaccadeError, Unimplemented
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Method
from saccade_server.transports.grpcio.arguments import make_arguments, make_credentials
from saccade_server.transports.grpcio.completions import Completions
from saccade_server.transports.grpcio.core import core
from saccade_server.transports.grpcio.rpc import Rpc, Rpcs, StreamRpc, UnaryRpc
from saccade_server.transports.limits import ConnectionLimits

log = logging.getLogger(__name__)

ASKED_FOR = 64
"""Calls that the core may hand out before the loop looks again; others wait in the core."""

HELD_S = 2.0
"""Without a call of ours, after which a stop takes those that are left for held."""


class GrpcioTransport:
    """A gRPC server on one port. Made in the event loop that is to run it.

    Args:
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

    def __init__(
        self,
        methods: list[Method],
        answerer: Answerer,
        *,
        address: str,
        max_message_bytes: int,
        limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - a constant
        share_port: bool = False,
        tls: Certificates | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._methods = {method.path.encode(): method for method in methods}
        self._rpcs = Rpcs(answerer, limits.receive_s, loop)
        arguments = make_arguments(
            limits, max_message_bytes=max_message_bytes, share_port=share_port
        )
        self._server = core.Server(arguments, False)
        self._completions = Completions(loop, answerer.awake)
        self._server.register_completion_queue(self._completions.queue)
        self._ended: asyncio.Future[None] = loop.create_future()
        self._answers = False
        self.port = _listen(self._server, address, tls)

    async def start(self) -> None:
        """Begins to answer."""
        self._answers = True
        self._server.start()
        self._completions.start()
        for _ in range(ASKED_FOR):
            self._ask()

    async def stop(self, grace_s: float) -> None:
        """Takes no new calls; ends those under way after `grace_s` seconds.

        gRPC may hold calls that it has received and will never hand out, and would wait for them as
        for all others. So the end comes earlier: when for a while there was no call of ours.
        """
        if not self._answers:
            return
        self._answers = False
        self._server.shutdown(self._completions.queue, self._on_end)
        quiet = asyncio.ensure_future(self._quiet())
        await asyncio.wait(
            (quiet, self._ended), timeout=grace_s, return_when=asyncio.FIRST_COMPLETED
        )
        quiet.cancel()
        self._server.cancel_all_calls()
        await self._ended
        await self._rpcs.none.wait()
        await self._completions.stop()
        self._server.destroy()

    async def _quiet(self) -> None:
        """Waits until there was no call of ours for a while."""
        while True:
            await self._rpcs.none.wait()
            await asyncio.sleep(HELD_S)
            if self._rpcs.none.is_set():
                return

    def _ask(self) -> None:
        """Lets the core hand out one more call."""
        self._server.request_call(self._completions.queue, self._completions.queue, self._on_call)

    def _on_call(self, event: Any) -> None:
        if self._answers:
            self._ask()
        if not event.success:
            return  # The server stops.
        method = self._methods.get(event.call_details.method)
        if method is None:
            Rpc(self._rpcs, event).refuse(Unimplemented("this server has no such method"))
        elif method.unary is None:
            self._open(StreamRpc(self._rpcs, event, method))
        else:
            self._open(UnaryRpc(self._rpcs, event, method))

    def _open(self, rpc: StreamRpc | UnaryRpc) -> None:
        try:
            rpc.open()
        except Exception:  # No bug may leave a caller without an answer.
            log.exception("a call could not be taken")
            rpc.refuse(SaccadeError("internal error"))

    def _on_end(self, _: object) -> None:
        self._ended.set_result(None)


def _listen(server: Any, address: str, tls: Certificates | None) -> int:
    """The port that a server listens on from now on."""
    try:
        if tls is None:
            port = server.add_http2_port(address.encode())
        else:
            port = server.add_http2_port(address.encode(), make_credentials(tls))
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    if not port:
        raise OSError(f"cannot listen on {address}")
    return int(port)
