"""What only gRPC's own server needs: an early no, and an end that calls it holds do not put off."""

import asyncio
import contextlib
import gc
import threading
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import hpack
import pytest
from google.protobuf.wrappers_pb2 import BytesValue

from fixtures.echo import PREFIX, EchoService, make_answerer
from fixtures.http2_peer import head
from integration.transports.conftest import MAX_MESSAGE_BYTES
from integration.transports.test_calls import TIMEOUT_S, code_of, settled, unary
from saccade_server.batching import Announced
from saccade_server.services.answer import Answerer
from saccade_server.transports.grpcio import GrpcioTransport
from saccade_server.transports.http2 import frames
from saccade_server.transports.limits import ConnectionLimits
from saccade_server.transports.status import DETAILS


@pytest.fixture
def answerer() -> Answerer:
    """The transport's."""
    return make_answerer()


@pytest.fixture
async def transport(service: EchoService, answerer: Answerer) -> AsyncIterator[GrpcioTransport]:
    """It listens."""
    transport = GrpcioTransport(
        service.methods(),
        answerer,
        address="127.0.0.1:0",
        max_message_bytes=MAX_MESSAGE_BYTES,
    )
    await transport.start()
    yield transport
    await transport.stop(0)


@pytest.fixture
async def hasty(service: EchoService) -> AsyncIterator[GrpcioTransport]:
    """One that waits for a message for a second."""
    transport = GrpcioTransport(
        service.methods(),
        make_answerer(),
        address="127.0.0.1:0",
        max_message_bytes=MAX_MESSAGE_BYTES,
        limits=ConnectionLimits(receive_s=1),
    )
    await transport.start()
    yield transport
    await transport.stop(0)


async def send_nothing() -> AsyncIterator[bytes]:
    """A message that does not come."""
    await asyncio.sleep(TIMEOUT_S)
    yield b""


def say(channel: grpc.aio.Channel) -> Any:
    """The method, for a caller who sends a message late."""
    return channel.stream_unary(f"{PREFIX}Say")


async def test_a_full_server_reads_no_messages(
    service: EchoService, transport: GrpcioTransport
) -> None:
    """It says no, and when to come back, before the message has come."""
    service.full = True
    async with grpc.aio.insecure_channel(f"127.0.0.1:{transport.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await say(channel)(send_nothing(), timeout=TIMEOUT_S)

    assert (grpc.StatusCode.RESOURCE_EXHAUSTED, True) == (
        refused.value.code(),
        DETAILS in dict(refused.value.trailing_metadata()),
    )


async def test_a_message_that_has_come_is_coming_no_more(
    service: EchoService, transport: GrpcioTransport
) -> None:
    """Nor one that was given up."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{transport.port}") as channel:
        given_up = say(channel)(send_nothing(), timeout=TIMEOUT_S)
        await settled(lambda: service.coming)
        given_up.cancel()
        await settled(lambda: not service.coming)
        await unary(channel)(BytesValue(value=b"whole"), timeout=TIMEOUT_S)

    assert 0 == service.coming


async def test_a_call_is_announced_until_its_message_has_come(
    answerer: Answerer, transport: GrpcioTransport
) -> None:
    """Or never will."""
    answerer.announced = announced = Announced(clock=lambda: 0.0)  # None grows old.
    async with grpc.aio.insecure_channel(f"127.0.0.1:{transport.port}") as channel:
        given_up = say(channel)(send_nothing(), timeout=TIMEOUT_S)
        await settled(announced.any)
        given_up.cancel()
        await settled(lambda: not announced.any())
        await unary(channel)(BytesValue(value=b"whole"), timeout=TIMEOUT_S)

    assert not announced.any()


@pytest.mark.parametrize("name", ["Say", "Split"])
async def test_a_message_that_does_not_come_is_waited_for_no_longer_than_that(
    hasty: GrpcioTransport, name: str
) -> None:
    """Whether there is to be one answer or several."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{hasty.port}") as channel:
        open_stream: Any = channel.stream_stream(f"{PREFIX}{name}")
        with pytest.raises(grpc.aio.AioRpcError) as given_up:
            _ = [answer async for answer in open_stream(send_nothing(), timeout=TIMEOUT_S)]

    assert "the request did not come whole within 1 s" == given_up.value.details()


async def test_an_answer_may_take_longer_than_a_message(
    service: EchoService, hasty: GrpcioTransport
) -> None:
    """The message has come."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{hasty.port}") as channel:
        call = unary(channel, "Hold")(BytesValue(value=b"slow"), timeout=TIMEOUT_S)
        await asyncio.sleep(1.2)
        service.release.set()

        assert BytesValue(value=b"slow") == await call


async def test_a_call_that_was_never_handed_out_does_not_put_off_the_end(
    transport: GrpcioTransport,
) -> None:
    """GRPC has received it, without its message, and would wait for it for the whole grace."""
    reader, writer = await asyncio.open_connection("127.0.0.1", transport.port)
    block = hpack.Encoder().encode(head("Say"))
    writer.write(
        frames.PREFACE
        + frames.settings({})
        + frames.frame(frames.HEADERS, frames.END_HEADERS, 1, block)
        + frames.frame(frames.PING, 0, 0, b"received")
    )
    while b"received" not in await asyncio.wait_for(reader.read(1000), TIMEOUT_S):
        pass

    await asyncio.wait_for(transport.stop(60), TIMEOUT_S)
    writer.close()


async def test_a_server_that_never_began_can_stop(service: EchoService) -> None:
    """It has nothing to wait for, and leaves no thread."""
    before = set(threading.enumerate())
    transport = GrpcioTransport(
        service.methods(), make_answerer(), address="127.0.0.1:0", max_message_bytes=1
    )
    await asyncio.wait_for(transport.stop(60), TIMEOUT_S)
    del transport
    gc.collect()

    assert set() == set(threading.enumerate()) - before


async def test_a_call_that_cannot_be_taken_keeps_nobody_else_waiting(
    answerer: Answerer, transport: GrpcioTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor its own caller: it fails."""

    def broken() -> float:
        raise ValueError("not for callers")

    async with grpc.aio.insecure_channel(f"127.0.0.1:{transport.port}") as channel:
        with monkeypatch.context() as patch:
            patch.setattr(answerer, "announced", Announced(clock=broken))
            code = await code_of(unary(channel)(BytesValue(), timeout=TIMEOUT_S))
        answer = await unary(channel)(BytesValue(value=b"well"), timeout=TIMEOUT_S)

    assert (grpc.StatusCode.INTERNAL, b"well") == (code, answer.value)


async def test_a_handler_that_its_caller_has_left_ends_before_the_server(
    service: EchoService, transport: GrpcioTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does on its way out can count on everything that is there."""
    left = asyncio.Event()

    async def leave_slowly() -> None:
        try:
            await asyncio.sleep(TIMEOUT_S)
        finally:
            await asyncio.sleep(0.05)
            left.set()

    monkeypatch.setattr(service.release, "wait", leave_slowly)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{transport.port}") as channel:
        call = unary(channel, "Hold")(BytesValue(), timeout=TIMEOUT_S)
        await asyncio.wait_for(service.held.wait(), TIMEOUT_S)
        call.cancel()
        await transport.stop(0)

    assert left.is_set()


@pytest.mark.parametrize("value", [b"x", b"busy"])
async def test_a_call_leaves_nothing_for_the_garbage_collector(
    transport: GrpcioTransport, value: bytes
) -> None:
    """Looking for garbage would hold all other calls up."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{transport.port}") as channel:
        await end_of(unary(channel)(BytesValue(value=value), timeout=TIMEOUT_S))
        gc.collect()
        gc.disable()
        try:
            await end_of(unary(channel)(BytesValue(value=value), timeout=TIMEOUT_S))
            await asyncio.sleep(0.1)  # The core tells of the end of a call when it has ended.

            assert 0 == gc.collect()
        finally:
            gc.enable()


async def end_of(call: Any) -> None:
    """Waits until a call has ended, however it does."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        await call
