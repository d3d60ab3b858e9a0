"""The echo service behind each transport, on a real socket."""

import ssl
from collections.abc import AsyncIterator

import grpc.aio
import pytest

from fixtures.echo import EchoService, make_answerer
from saccade_server.transports.http2 import Http2Options, Http2Transport
from saccade_server.transports.transport import Transport, make_transport

MAX_MESSAGE_BYTES = 8 << 20

OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Each test's channel has connections of its own.
    ("grpc.use_local_subchannel_pool", 1),
]


@pytest.fixture
def service() -> EchoService:
    """What answers."""
    return EchoService()


@pytest.fixture(params=["grpcio", "http2"])
async def transport(
    request: pytest.FixtureRequest, service: EchoService
) -> AsyncIterator[Transport]:
    """A transport that serves it."""
    transport = make_transport(
        request.param,
        service.methods(),
        make_answerer(),
        address="127.0.0.1:0",
        max_message_bytes=MAX_MESSAGE_BYTES,
    )
    await transport.start()
    yield transport
    await transport.stop(0)


@pytest.fixture
def address(transport: Transport) -> str:
    """Of that transport."""
    return f"localhost:{transport.port}"


@pytest.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to it."""
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        yield channel


@pytest.fixture
async def start_http2(service: EchoService) -> AsyncIterator["StartHttp2"]:
    """Starts transports with options of a test's own, and stops them."""
    starter = StartHttp2(service)
    yield starter
    for each in starter.started:
        await each.stop(0)


class StartHttp2:
    """See `start_http2`."""

    def __init__(self, service: EchoService) -> None:
        self.started: list[Http2Transport] = []
        self._service = service

    async def __call__(
        self, options: Http2Options | None = None, tls: ssl.SSLContext | None = None
    ) -> Http2Transport:
        transport = Http2Transport(
            self._service.methods(),
            make_answerer(),
            address="127.0.0.1:0",
            max_message_bytes=MAX_MESSAGE_BYTES,
            options=options,
            tls=tls,
        )
        await transport.start()
        self.started.append(transport)
        return transport
