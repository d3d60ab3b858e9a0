"""The limits of connections, over each transport alike."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import BytesValue

from fixtures.echo import EchoService, make_answerer
from integration.transports.conftest import MAX_MESSAGE_BYTES, OPTIONS
from integration.transports.test_calls import TIMEOUT_S, code_of, unary
from saccade_server.config import ServerConfig
from saccade_server.transports.limits import ConnectionLimits
from saccade_server.transports.transport import make_transport

WORDS = BytesValue(value=b"words")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
GOAWAY = 7
PING = 6

Start = Callable[[ConnectionLimits], Awaitable[str]]


@pytest.fixture(params=["grpcio", "http2"])
async def start(request: pytest.FixtureRequest, service: EchoService) -> AsyncIterator[Start]:
    """Starts a transport with limits; gives its address."""
    started = []

    async def run(limits: ConnectionLimits) -> str:
        transport = make_transport(
            request.param,
            service.methods(),
            make_answerer(),
            address="127.0.0.1:0",
            max_message_bytes=MAX_MESSAGE_BYTES,
            limits=limits,
        )
        await transport.start()
        started.append(transport)
        return f"127.0.0.1:{transport.port}"

    yield run
    for transport in started:
        await transport.stop(0)


Dial = Callable[[str], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Makes connections that have said hello, and closes them in the end."""
    writers = []

    async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writers.append(writer)
        writer.write(PREFACE)
        return reader, writer

    yield connect
    for writer in writers:
        writer.close()


async def read_until(reader: asyncio.StreamReader, kind: int) -> bool:
    """Reads frames until one of a kind; False if the connection ends before."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
        while True:
            head = await asyncio.wait_for(reader.readexactly(9), TIMEOUT_S)
            await reader.readexactly(int.from_bytes(head[:3], "big"))
            if head[3] == kind:
                return True
    return False


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Whether the server closes a connection, whatever it says before."""
    return not await read_until(reader, kind=-1)


async def answers(address: str) -> bool:
    """Whether a caller on a connection of its own is answered."""
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        with contextlib.suppress(grpc.aio.AioRpcError):
            answer: BytesValue = await unary(channel)(WORDS, timeout=1)
            return WORDS == answer
    return False


def test_the_defaults_are_those_of_the_settings() -> None:
    """A transport without settings behaves as a server without flags."""
    config, limits = ServerConfig(), ConnectionLimits()

    assert (
        config.max_connections,
        config.max_concurrent_streams,
        config.max_header_kb << 10,
        config.keepalive_s,
        config.keepalive_timeout_s,
        config.idle_s,
    ) == (
        limits.max_connections,
        limits.max_streams,
        limits.max_header_bytes,
        limits.keepalive_s,
        limits.keepalive_timeout_s,
        limits.idle_s,
    )


async def test_connections_beyond_the_limit_are_closed(start: Start, dial: Dial) -> None:
    """Those within it are kept, and room is made when one of them leaves."""
    address = await start(ConnectionLimits(max_connections=2))
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        await unary(channel)(WORDS, timeout=TIMEOUT_S)
        _, second = await dial(address)
        third, _ = await dial(address)
        closed = await is_closed(third)
        second.close()
        again = False
        for _ in range(100):
            if again := await answers(address):
                break
            await asyncio.sleep(0.05)
        kept = await unary(channel)(WORDS, timeout=TIMEOUT_S)

    assert (True, True, WORDS) == (closed, again, kept)


async def test_calls_beyond_the_limit_of_a_connection_wait(
    start: Start, service: EchoService
) -> None:
    """The caller is told the limit and keeps to it; all are answered in the end."""
    address = await start(ConnectionLimits(max_streams=2))
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        await unary(channel)(WORDS, timeout=TIMEOUT_S)
        held = [unary(channel, "Hold")(WORDS, timeout=TIMEOUT_S) for _ in range(2)]
        await service.held.wait()
        third = asyncio.ensure_future(unary(channel)(WORDS, timeout=TIMEOUT_S))
        await asyncio.sleep(0.2)
        waited = not third.done()
        service.release.set()
        told = [await call for call in (*held, third)]

    assert (True, [WORDS] * 3) == (waited, told)


@pytest.mark.parametrize(("size", "expected"), [(30_000, None), (50_000, "RESOURCE_EXHAUSTED")])
async def test_metadata_beyond_the_limit_is_refused(
    start: Start, size: int, expected: str | None
) -> None:
    """Whatever is within it arrives."""
    address = await start(ConnectionLimits(max_header_bytes=40_000))
    # Of a client that does not obey what the server says of itself.
    options = [*OPTIONS, ("grpc.max_metadata_size", 1 << 20)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        call = unary(channel)(WORDS, timeout=TIMEOUT_S, metadata=(("long", "x" * size),))
        code = None if expected is None else (await code_of(call)).name
        if expected is None:
            await call

    assert expected == code


async def test_a_connection_without_calls_is_closed_politely(start: Start, dial: Dial) -> None:
    """It is told to go; the next call finds a new one."""
    address = await start(ConnectionLimits(idle_s=1))
    reader, _ = await dial(address)

    assert await read_until(reader, GOAWAY)


async def test_a_peer_that_says_nothing_is_asked_and_dropped(start: Start, dial: Dial) -> None:
    """It does not answer, so nobody is there."""
    address = await start(ConnectionLimits(keepalive_s=1, keepalive_timeout_s=1))
    reader, _ = await dial(address)
    asked = await read_until(reader, PING)
    closed = await is_closed(reader)

    assert (True, True) == (asked, closed)


async def test_a_call_under_way_is_not_idle(start: Start, service: EchoService) -> None:
    """However long it takes."""
    address = await start(ConnectionLimits(idle_s=1))
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        call = unary(channel, "Hold")(WORDS, timeout=TIMEOUT_S)
        await asyncio.sleep(2.5)
        service.release.set()

        assert WORDS == await call
