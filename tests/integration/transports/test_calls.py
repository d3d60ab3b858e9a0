"""What callers see, with grpcio's own clients, over each transport alike."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import hpack
import pytest
from google.protobuf.wrappers_pb2 import BytesValue, StringValue
from google.rpc import error_details_pb2, status_pb2

from fixtures.echo import PREFIX, EchoService, make_answerer
from fixtures.http2_peer import head
from integration.transports.conftest import MAX_MESSAGE_BYTES, OPTIONS
from saccade_server.transports.http2 import frames
from saccade_server.transports.transport import Transport

TIMEOUT_S = 10
# grpcio sends a timeout in two or three digits, rounded up.
ROUNDING = 1.02
MIB = 1 << 20


def unary(channel: Any, method: str = "Say", answer: Any = BytesValue) -> Any:
    return channel.unary_unary(PREFIX + method, BytesValue.SerializeToString, answer.FromString)


def chat(channel: Any, method: str = "Chat") -> Any:
    return channel.stream_stream(
        PREFIX + method, BytesValue.SerializeToString, BytesValue.FromString
    )


async def code_of(call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code()


async def settled(condition: Any) -> None:
    """Waits for what another connection's end makes true.

    Raises:
        AssertionError: It does not become true.
    """
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never became true")


@pytest.mark.parametrize("size", [0, 1, 20_000, 65_530, 70_000, 5 * MIB])
async def test_a_message_of_any_size_comes_back(channel: grpc.aio.Channel, size: int) -> None:
    """Small ones in a frame, large ones in many, both ways."""
    sent = BytesValue(value=bytes(size))

    assert sent == await unary(channel)(sent, timeout=TIMEOUT_S)


async def test_the_synchronous_client_is_answered(address: str) -> None:
    """From a thread, as most users do."""

    def call() -> BytesValue:
        with grpc.insecure_channel(address, options=OPTIONS) as channel:
            answer: BytesValue = unary(channel)(BytesValue(value=b"sync"), timeout=TIMEOUT_S)
            return answer

    assert BytesValue(value=b"sync") == await asyncio.to_thread(call)


async def test_an_error_carries_code_and_text(channel: grpc.aio.Channel) -> None:
    """Any text, percent signs and quotes included."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await unary(channel)(BytesValue(value=b"missing"), timeout=TIMEOUT_S)

    assert grpc.StatusCode.NOT_FOUND == caught.value.code()
    assert "no 100 % of “it” here" == caught.value.details()


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_refusal_carries_retry_info(channel: grpc.aio.Channel, streaming: bool) -> None:
    """In the trailer where clients look for it, also behind the messages of a stream."""
    busy = BytesValue(value=b"busy")
    if streaming:
        call = chat(channel)(iter((BytesValue(value=b"x"), busy)), timeout=TIMEOUT_S)
        assert BytesValue(value=b"x") == await call.read()
        answer = call.read()
    else:
        answer = unary(channel)(busy, timeout=TIMEOUT_S)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answer

    trailers = dict(caught.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    retry = error_details_pb2.RetryInfo()
    status.details[0].Unpack(retry)
    assert grpc.StatusCode.RESOURCE_EXHAUSTED == caught.value.code()
    assert 1.5 == retry.retry_delay.ToTimedelta().total_seconds()


async def test_a_bug_shows_nothing_of_itself(channel: grpc.aio.Channel) -> None:
    """INTERNAL and an id for the log."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await unary(channel)(BytesValue(value=b"bug"), timeout=TIMEOUT_S)

    assert grpc.StatusCode.INTERNAL == caught.value.code()
    assert "not for callers" not in str(caught.value.details())


async def test_an_unknown_method_is_unimplemented(channel: grpc.aio.Channel) -> None:
    """Not a broken connection."""
    code = await code_of(unary(channel, "Sing")(BytesValue(), timeout=TIMEOUT_S))

    assert grpc.StatusCode.UNIMPLEMENTED == code


@pytest.mark.parametrize("name", ["Say", "Split"])
async def test_a_call_without_its_message_is_unimplemented(
    channel: grpc.aio.Channel, name: str
) -> None:
    """Whether it has one answer or several."""
    call: Any = channel.stream_stream(f"{PREFIX}{name}")(iter(()), timeout=TIMEOUT_S)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = [answer async for answer in call]

    assert (grpc.StatusCode.UNIMPLEMENTED, "this method takes one message, none was sent") == (
        caught.value.code(),
        caught.value.details(),
    )


async def test_handlers_know_metadata_peer_and_deadline(channel: grpc.aio.Channel) -> None:
    """Text metadata only; equal names joined; nothing of the transport's own."""
    answer = await unary(channel, "Describe", StringValue)(
        BytesValue(),
        timeout=TIMEOUT_S,
        metadata=(("key", "first"), ("key", "last"), ("trace-bin", b"\0\1"), ("x", "a b")),
    )

    about = json.loads(answer.value)
    assert {"key", "x", "user-agent"} == set(about["metadata"])
    assert ("first, last", "a b") == (about["metadata"]["key"], about["metadata"]["x"])
    assert about["peer"].startswith(("ipv4:127.0.0.1:", "ipv6:%5B::1%5D:"))
    assert 0 < about["remaining_s"] <= TIMEOUT_S * ROUNDING


async def test_a_call_without_timeout_has_no_deadline(channel: grpc.aio.Channel) -> None:
    """None, not some large number."""
    answer = await unary(channel, "Describe", StringValue)(BytesValue())

    assert None is json.loads(answer.value)["remaining_s"]


@pytest.mark.parametrize("end", ["deadline", "cancel", "close"])
async def test_a_call_that_ends_early_cancels_its_handler(
    address: str, service: EchoService, end: str
) -> None:
    """By its deadline, by its caller, or by the loss of the connection."""
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        timeout = 0.2 if end == "deadline" else TIMEOUT_S
        call = unary(channel, "Hold")(BytesValue(), timeout=timeout)
        await asyncio.wait_for(service.held.wait(), TIMEOUT_S)
        if end == "cancel":
            call.cancel()
        elif end == "close":
            await channel.close()
        with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
            await call

    await settled(lambda: service.cancelled)
    assert 1 == service.cancelled


async def test_a_stream_of_answers_arrives_in_order(channel: grpc.aio.Channel) -> None:
    """All of them, then the end."""
    split = channel.unary_stream(
        PREFIX + "Split", StringValue.SerializeToString, BytesValue.FromString
    )

    sizes = [len(x.value) async for x in split(StringValue(value="50 x 40000"), timeout=TIMEOUT_S)]

    assert [40_000] * 50 == sizes


async def test_a_stream_of_requests_is_joined(channel: grpc.aio.Channel) -> None:
    """Small, empty and large messages, and the half-close behind them."""
    parts = [bytes([x]) * size for x, size in enumerate((3, 0, 100_000, 1, 300_000))]

    join = channel.stream_unary(
        PREFIX + "Join", BytesValue.SerializeToString, BytesValue.FromString
    )
    answer = await join(iter([BytesValue(value=x) for x in parts]), timeout=TIMEOUT_S)

    assert b"".join(parts) == answer.value


async def test_both_sides_stream_in_turns(channel: grpc.aio.Channel) -> None:
    """Each answer comes before the next question is asked."""
    call = chat(channel)(timeout=TIMEOUT_S)
    answers = []
    for word in (b"one", b"two", b"three"):
        await call.write(BytesValue(value=word))
        answers.append((await call.read()).value)
    await call.done_writing()

    assert [b"one", b"two", b"three"] == answers
    assert grpc.aio.EOF == await call.read()


async def test_a_stream_without_messages_ends_well(channel: grpc.aio.Channel) -> None:
    """Nothing asked, nothing answered."""
    nothing: tuple[BytesValue, ...] = ()

    assert [] == [x async for x in chat(channel)(iter(nothing), timeout=TIMEOUT_S)]


async def test_a_caller_that_does_not_read_holds_its_handler_up(
    channel: grpc.aio.Channel, service: EchoService
) -> None:
    """The handler makes what buffers take, not ten thousand messages."""
    split = channel.unary_stream(
        PREFIX + "Split", StringValue.SerializeToString, BytesValue.FromString
    )
    call = split(StringValue(value="10000 x 100000"), timeout=TIMEOUT_S)
    await call.read()
    await asyncio.sleep(0.5)

    made = service.chunks
    call.cancel()

    assert made < 500


async def test_a_handler_that_does_not_take_holds_its_caller_up(
    channel: grpc.aio.Channel, service: EchoService
) -> None:
    """What the server keeps of a stream is bounded."""
    written = 0

    async def requests() -> AsyncIterator[BytesValue]:
        nonlocal written
        yield BytesValue(value=b"hold")
        for _ in range(1000):
            written += 1
            yield BytesValue(value=bytes(100_000))

    call = chat(channel)(requests(), timeout=TIMEOUT_S)
    await asyncio.wait_for(service.held.wait(), TIMEOUT_S)
    await asyncio.sleep(0.5)

    before = written
    call.cancel()

    assert before < 50


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_compressed_requests_are_understood(
    channel: grpc.aio.Channel, compression: grpc.Compression
) -> None:
    """Both ways to compress that grpcio's clients have."""
    sent = BytesValue(value=bytes(100_000))

    assert sent == await unary(channel)(sent, timeout=TIMEOUT_S, compression=compression)


async def test_a_compressed_stream_is_understood(channel: grpc.aio.Channel) -> None:
    """Message by message."""
    parts = [BytesValue(value=bytes(x)) for x in (10, 50_000)]

    call = chat(channel)(iter(parts), timeout=TIMEOUT_S, compression=grpc.Compression.Gzip)

    assert parts == [x async for x in call]


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_a_message_beyond_the_limit_is_refused(
    channel: grpc.aio.Channel, compression: grpc.Compression
) -> None:
    """However small it was made on the way."""
    too_large = BytesValue(value=bytes(MAX_MESSAGE_BYTES + 1))

    call = unary(channel)(too_large, timeout=TIMEOUT_S, compression=compression)

    assert grpc.StatusCode.RESOURCE_EXHAUSTED == await code_of(call)


async def test_broken_messages_are_invalid(channel: grpc.aio.Channel) -> None:
    """Well framed, but not of the method's type."""
    raw: Any = channel.unary_unary(PREFIX + "Say")

    assert grpc.StatusCode.INVALID_ARGUMENT == await code_of(raw(b"\xff", timeout=TIMEOUT_S))


async def test_many_calls_at_once_each_get_their_own_answer(channel: grpc.aio.Channel) -> None:
    """More than one connection's streams."""
    words = [BytesValue(value=str(x).encode()) for x in range(1000)]

    answers = await asyncio.gather(*[unary(channel)(x, timeout=30) for x in words])

    assert words == answers


async def test_many_connections_are_served(address: str) -> None:
    """Each with a call at the same time."""
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(_call_alone(address, x)) for x in range(50)]

    assert [str(x).encode() for x in range(50)] == [x.result() for x in calls]


async def _call_alone(address: str, number: int) -> bytes:
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        answer = await unary(channel)(BytesValue(value=str(number).encode()), timeout=TIMEOUT_S)
        return bytes(answer.value)


async def test_a_stop_lets_calls_under_way_finish(
    transport: Transport, channel: grpc.aio.Channel, service: EchoService
) -> None:
    """And takes no new ones."""
    call = unary(channel, "Hold")(BytesValue(value=b"x"), timeout=TIMEOUT_S)
    await asyncio.wait_for(service.held.wait(), TIMEOUT_S)

    stopping = asyncio.create_task(transport.stop(TIMEOUT_S))
    await asyncio.sleep(0.1)
    service.release.set()

    assert BytesValue(value=b"x") == await call
    await stopping
    late = unary(channel)(BytesValue(), timeout=1, wait_for_ready=False)
    assert grpc.StatusCode.UNAVAILABLE == await code_of(late)


async def test_a_stop_ends_what_does_not_finish(
    transport: Transport, channel: grpc.aio.Channel, service: EchoService
) -> None:
    """Once the grace is over."""
    call = unary(channel, "Hold")(BytesValue(), timeout=TIMEOUT_S)
    await asyncio.wait_for(service.held.wait(), TIMEOUT_S)

    await transport.stop(0.1)

    assert grpc.StatusCode.UNAVAILABLE == await code_of(call)
    assert 1 == service.cancelled


async def test_a_taken_port_is_an_error(transport: Transport, service: EchoService) -> None:
    """At once, not when the first call gets lost."""
    with pytest.raises(OSError, match="cannot listen"):
        type(transport)(  # type: ignore[call-arg]
            [], make_answerer(), address=f"127.0.0.1:{transport.port}", max_message_bytes=1
        )


async def test_a_path_that_is_no_text_harms_nobody(
    channel: grpc.aio.Channel, transport: Transport, service: EchoService
) -> None:
    """The calls under way are answered, and so are those that come, again and again."""
    held = asyncio.ensure_future(unary(channel, "Hold")(BytesValue(value=b"held"), timeout=60))
    await service.held.wait()
    answers = []
    for _ in range(3):
        await ask_for_no_text(transport.port)
        async with grpc.aio.insecure_channel(
            f"localhost:{transport.port}", options=OPTIONS
        ) as anew:
            answers.append((await unary(anew)(BytesValue(value=b"well"), timeout=60)).value)
    service.release.set()

    assert [b"well"] * 3 + [b"held"] == [*answers, (await held).value]


async def ask_for_no_text(port: int) -> None:
    """Calls a method whose name is no UTF-8, and waits until that has an end."""
    reader, writer = await asyncio.open_connection("localhost", port)
    headers = [
        (name.encode(), value.encode().replace(b"Say", b"S\xa7y")) for name, value in head("Say")
    ]
    block = hpack.Encoder().encode(headers)
    ended = frames.END_HEADERS | frames.END_STREAM
    writer.write(
        frames.PREFACE + frames.settings({}) + frames.frame(frames.HEADERS, ended, 1, block)
    )
    writer.write_eof()
    await asyncio.wait_for(reader.read(), TIMEOUT_S)
    writer.close()
