"""The bound of the requests under way: over all models and APIs, over each transport."""

import asyncio
from typing import Any

import aiohttp
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from fixtures.in_process import InProcessServer, request
from integration.server.conftest import StartInProcess
from integration.server.failures import failed, retry_after_s
from integration.server.inference.asking import Ask, asker
from integration.server.inference.test_http import INFER, asked, serve
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

MOST = 2


@pytest.fixture
async def tiny(start_in_process: StartInProcess) -> InProcessServer:
    """A server that answers two requests at the same time."""
    return await start_in_process(max_inflight=MOST)


@pytest.fixture
def ask(tiny_channel: grpc.aio.Channel) -> Ask:
    """Calls a method of the Open Inference Protocol."""
    return asker(tiny_channel)


async def fill(tiny: InProcessServer, stub: Any) -> list[Any]:
    """Has two requests under way, which end when the engine is released."""
    tiny.engine.block()
    calls = [stub.Classify(request(mark), timeout=20) for mark in range(MOST)]
    for call in calls:
        call.add_done_callback(lambda _: None)
    await tiny.reach(MOST, "saccade_inflight_requests")
    return calls


async def test_a_request_beyond_the_bound_says_when_to_come_back(
    stub: Any, tiny: InProcessServer
) -> None:
    """RESOURCE_EXHAUSTED with RetryInfo, at once."""
    await fill(tiny, stub)
    error = await failed(stub.Classify(request(9), timeout=20))

    assert ("RESOURCE_EXHAUSTED", True) == (error.code().name, (retry_after_s(error) or 0) > 0)


async def test_those_within_it_are_answered(stub: Any, tiny: InProcessServer) -> None:
    """And afterwards there is room again."""
    calls = await fill(tiny, stub)
    await failed(stub.Classify(request(9), timeout=20))
    tiny.engine.release()
    answers = [await call for call in calls]
    answers.append(await stub.Classify(request(9), timeout=20))

    assert [1, 1, 1] == [len(answer.results) for answer in answers]


async def test_a_refusal_is_counted_once(stub: Any, tiny: InProcessServer) -> None:
    """By its reason and by its code."""
    await fill(tiny, stub)
    await failed(stub.Classify(request(9), timeout=20))
    labels = {"api": "saccade", "method": "Classify", "model": "", "code": "RESOURCE_EXHAUSTED"}

    assert (1, 1) == (
        tiny.value("saccade_rejected_total", reason="inflight"),
        tiny.value("saccade_requests_total", **labels),
    )


async def test_the_apis_share_the_bound(stub: Any, tiny: InProcessServer, ask: Ask) -> None:
    """What one API's callers have under way, another one's have not."""
    await fill(tiny, stub)

    error = await failed(ask("ModelInfer", model_name="tiny"))
    assert "RESOURCE_EXHAUSTED" == error.code().name


async def test_probes_are_answered_all_the_same(
    stub: Any, tiny: InProcessServer, tiny_channel: grpc.aio.Channel, ask: Ask
) -> None:
    """Nobody restarts a server because it is busy."""
    await fill(tiny, stub)
    health = await HealthStub(tiny_channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
    live = await ask("ServerLive")

    assert (health_pb2.HealthCheckResponse.SERVING, True) == (health.status, live.live)


async def test_each_message_of_a_stream_is_a_request(stub: Any, tiny: InProcessServer) -> None:
    """One that there is no room for is refused, and the stream goes on."""
    await fill(tiny, stub)
    stream = stub.ClassifyStream(timeout=20)
    await stream.write(request(9, request_id="refused"))
    refused = await stream.read()
    tiny.engine.release()
    await tiny.reach(0, "saccade_inflight_requests")
    await stream.write(request(9, request_id="answered"))
    answered = await stream.read()
    await stream.done_writing()

    assert ("refused", 8, True, "answered", True) == (
        refused.request_id,
        refused.error.code,
        refused.error.retry_after_us > 0,
        answered.request_id,
        answered.HasField("response"),
    )


async def test_an_open_stream_takes_no_room(stub: Any, tiny: InProcessServer) -> None:
    """However many streams wait for their callers."""
    streams = [stub.ClassifyStream(timeout=20) for _ in range(MOST + 1)]
    for number, stream in enumerate(streams):
        await stream.write(request(number))
        await stream.read()
    answer = await stub.Classify(request(9), timeout=20)

    assert (1, 0) == (len(answer.results), tiny.value("saccade_inflight_requests"))


async def test_over_http_it_is_429_before_the_body_is_read(
    stub: Any, tiny: InProcessServer
) -> None:
    """With Retry-After in whole seconds; the body that is announced never comes."""
    await fill(tiny, stub)
    port = await serve(tiny)
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    writer.write(f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    writer.close()
    await port.stop()

    assert (b"HTTP/1.1 429 Too Many Requests", True) == (
        head.splitlines()[0],
        b"Retry-After: 1" in head,
    )


async def test_over_http_probes_are_answered_all_the_same(stub: Any, tiny: InProcessServer) -> None:
    """And so are those who come when there is room again."""
    await fill(tiny, stub)
    port = await serve(tiny)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port.port}") as session:
        async with session.get("/v2/health/live") as live:
            first = live.status
        tiny.engine.release()
        await tiny.reach(0, "saccade_inflight_requests")
        async with session.post(INFER, json=asked("UINT8", [9], [1, 1, 1, 1])) as answer:
            second = answer.status
    await port.stop()

    assert (200, 200) == (first, second)


async def test_several_channels_share_the_bound(stub: Any, tiny: InProcessServer) -> None:
    """It is the process's, not a connection's."""
    await fill(tiny, stub)
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(tiny.address, options=options) as channel:
        other: Any = ImageClassifierStub(channel)
        error = await failed(other.Classify(request(9), timeout=20))

    assert "RESOURCE_EXHAUSTED" == error.code().name
