"""gRPC by grpcio's asyncio server."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import grpc
import grpc.aio

from saccade_server.credentials import Certificates, KeyPair
from saccade_server.errors import SaccadeError, Unimplemented
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method
from saccade_server.transports.grpcio_server import LastingServer
from saccade_server.transports.limits import HANDSHAKE_S, ConnectionLimits, too_slow
from saccade_server.transports.status import DETAILS, short_text, status_details

HELD_S = 2.0
"""Without a call of ours, after which a stop takes those that are left for held."""

WINDOW_BYTES = 1 << 20
"""A stream may send as much before its handler reads; for what it reads gRPC widens the window.

gRPC would measure the path, and by that widen the windows of all streams, read or not: one that
nobody reads then holds 20 MB after a stall.
"""

_STATUS = {code.value[0]: code for code in grpc.StatusCode}

_Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcioTransport:
    """A gRPC server on one port.

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
        options = [
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", -1),
            # By default two servers would share a port without knowing of each other.
            ("grpc.so_reuseport", int(share_port)),
            # Clients may ask often whether we are alive; by default gRPC takes that for an
            # attack and ends the connection.
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
            ("grpc.http2.bdp_probe", 0),
            ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
            *_arguments(limits),
            ("grpc.server_handshake_timeout_ms", 1000 * HANDSHAKE_S),
        ]
        self._calls = _Calls()
        router = _Router(methods, answerer, self._calls, limits.receive_s)
        self._server = LastingServer(partial(_listen, options, router, tls), address)
        self.port = self._server.port

    async def start(self) -> None:
        """Begins to answer."""
        await self._server.start()

    async def stop(self, grace_s: float) -> None:
        """Takes no new calls; ends those under way after `grace_s` seconds.

        gRPC may hold calls that it has received and will never hand out, and would wait for them as
        for all others. So the end comes earlier: when for a while there was no call of ours.
        """
        stopping = asyncio.ensure_future(self._server.stop(grace_s))
        while not stopping.done():
            none = asyncio.ensure_future(self._calls.none.wait())
            await asyncio.wait((stopping, none), return_when=asyncio.FIRST_COMPLETED)
            none.cancel()
            await asyncio.wait((stopping,), timeout=HELD_S)
            if not stopping.done() and self._calls.none.is_set():
                await self._server.stop(None)
        await stopping


class _Calls:
    """Counts the calls from the start of their handlers until their status is sent.

    Attributes:
        none: Set while there are none.
    """

    def __init__(self) -> None:
        self.none = asyncio.Event()
        self.none.set()
        self._count = 0

    def enter(self, context: _Context) -> None:
        """A handler begins; its context tells when the call is over."""
        self._count += 1
        self.none.clear()
        context.add_done_callback(self._leave)  # type: ignore[arg-type]

    def _leave(self, _: object) -> None:
        self._count -= 1
        if not self._count:
            self.none.set()


def _listen(
    options: list[tuple[str, int]],
    router: grpc.GenericRpcHandler,
    tls: Certificates | None,
    address: str,
) -> tuple[grpc.aio.Server, int]:
    """A server, and the port that it listens on."""
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((router,))
    try:
        if tls is None:
            return server, server.add_insecure_port(address)
        return server, server.add_secure_port(address, _credentials(tls))
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error


def _arguments(limits: ConnectionLimits) -> list[tuple[str, int]]:
    """The limits by the names that gRPC gives them."""
    return [
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
    ]


def _credentials(tls: Certificates) -> grpc.ServerCredentials:
    """Asks before each handshake for the newest pair; may be called in threads of gRPC's."""
    return grpc.dynamic_ssl_server_credentials(
        _configuration(tls.current()),
        lambda: _configuration(tls.current()),
        require_client_authentication=tls.mutual,
    )


def _configuration(pair: KeyPair) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pair.key, pair.chain)], pair.client_ca)


class _Router(grpc.GenericRpcHandler):
    """Finds a method by its path."""

    def __init__(
        self, methods: list[Method], answerer: Answerer, calls: _Calls, receive_s: float
    ) -> None:
        self._handlers = {
            method.path: _handler(method, answerer, calls, receive_s) for method in methods
        }

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        return self._handlers.get(details.method)


def _handler(method: Method, answerer: Answerer, calls: _Calls, receive_s: float) -> Any:
    # Messages stay bytes: parsing is the answerer's business.
    # To gRPC all requests are streams: it would wait for the only message of one for ever. They are
    # read from the context: to leave gRPC's iterator before its end costs a task that closes it.
    async def unary(_: AsyncIterator[bytes], context: _Context) -> bytes:
        try:
            call, data = await _receive(method, answerer, context, receive_s)
            calls.enter(context)
            return await answerer.unary(method, data, call)
        except SaccadeError as error:
            await _abort(context, error)
            raise

    async def stream(_: AsyncIterator[bytes], context: _Context) -> AsyncIterator[bytes]:
        calls.enter(context)
        messages = _all(context) if method.streams_requests else _one(context, receive_s)
        try:
            async for answer in answerer.stream(method, messages, _call(context)):
                yield answer
        except SaccadeError as error:
            await _abort(context, error)

    if method.unary:
        return grpc.stream_unary_rpc_method_handler(unary)
    return grpc.stream_stream_rpc_method_handler(stream)


async def _receive(
    method: Method, answerer: Answerer, context: _Context, receive_s: float
) -> tuple[Call, bytes]:
    """A unary call and its message."""
    announced = answerer.announced.begin()
    try:
        call = _call(context)
        # Under overload most are refused, and to read what is refused costs what others need.
        if refusal := answerer.turn_away(method, call.metadata, call.peer):
            raise refusal
        come = answerer.preview(method, b"", call)
        try:
            return call, await _only(context, receive_s)
        finally:
            if come is not None:
                come()
    finally:
        answerer.announced.end(announced)


async def _all(context: _Context) -> AsyncIterator[bytes]:
    """The messages of a caller that streams, up to its end.

    To gRPC they end the same way where the caller goes: it cancels the handler, but not always
    before it has ended them. It does so before it answers one more read, though.
    """
    while (data := await _read(context)) is not None:
        yield data
    await context.read()


async def _one(context: _Context, receive_s: float) -> AsyncIterator[bytes]:
    yield await _only(context, receive_s)


async def _only(context: _Context, receive_s: float) -> bytes:
    """The message of a caller that sends one."""
    try:
        async with asyncio.timeout(receive_s):
            data = await _read(context)
    except TimeoutError:
        raise too_slow(receive_s) from None
    if data is None:
        raise Unimplemented("this method takes one message, none was sent")
    return data


async def _read(context: _Context) -> bytes | None:
    """The next message; None: there are no more."""
    data: object = await context.read()
    return data if isinstance(data, bytes) else None


def _call(context: _Context) -> Call:
    remaining = context.time_remaining()
    return Call(
        deadline=None if remaining is None else time.monotonic() + remaining,
        metadata=_metadata(context),
        peer=context.peer(),
    )


def _metadata(context: _Context) -> dict[str, str]:
    """Text only; the values of a name that comes twice joined (RFC 9110, section 5.2)."""
    metadata: dict[str, str] = {}
    for name, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            metadata[name] = f"{metadata[name]}, {value}" if name in metadata else value
    return metadata


async def _abort(context: _Context, error: SaccadeError) -> None:
    """Ends the call with the error's code and, where a retry makes sense, RetryInfo."""
    details = status_details(error)
    metadata = ((DETAILS, details),) if details else ()
    try:
        await context.abort(_STATUS[error.code], short_text(error.message), metadata)
    except grpc.aio.InternalError:
        # gRPC has ended the call itself, over a message that is too large: nobody is told.
        raise asyncio.CancelledError from None
