"""ClassifyStream: many requests over one stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from fixtures.clock import settle
from fixtures.in_process import InProcessServer, pixel, request
from integration.server.failures import failure
from saccade.v1 import classifier_pb2 as pb
from saccade_server.services.side_by_side import MAX_STREAM_REQUESTS

PATH = "/saccade.v1.ImageClassifier/ClassifyStream"


async def collect(stub: Any, *requests: pb.ClassifyRequest) -> list[pb.ClassifyStreamResponse]:
    """Sends requests over one stream and collects all answers."""
    return [answer async for answer in stub.ClassifyStream(iter(requests), timeout=20)]


def best(answer: pb.ClassifyStreamResponse) -> str:
    """The best class of an answer's only image."""
    return answer.response.results[0].classification.classes[0].label


async def test_every_request_is_answered(stub: Any) -> None:
    """With its own id and its own result."""
    answers = await collect(
        stub, request(0, request_id="a"), request(255, request_id="b"), request(0, request_id="c")
    )

    assert {"a": "dark", "b": "light", "c": "dark"} == {
        answer.request_id: best(answer) for answer in answers
    }


async def test_an_empty_stream_ends_well(stub: Any) -> None:
    """No request, no answer, no error."""
    assert [] == await collect(stub)


async def test_answers_come_as_they_are_ready(stub: Any, tiny: InProcessServer) -> None:
    """A request that waits for the engine does not hold up one that is refused at once."""
    tiny.engine.block()
    stream = stub.ClassifyStream(timeout=20)
    await stream.write(request(1, request_id="slow"))
    await asyncio.to_thread(tiny.engine.wait_called)
    await stream.write(pb.ClassifyRequest(request_id="quick"))
    first = await stream.read()
    tiny.engine.release()
    second = await stream.read()
    await stream.done_writing()

    assert ["quick", "slow"] == [first.request_id, second.request_id]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (pb.ClassifyRequest(), grpc.StatusCode.INVALID_ARGUMENT),
        (
            pb.ClassifyRequest(images=[pixel(1)], model=pb.ModelSpec(name="nobody")),
            grpc.StatusCode.NOT_FOUND,
        ),
        (pb.ClassifyRequest(images=[pixel(1)], top_k=0), grpc.StatusCode.INVALID_ARGUMENT),
    ],
    ids=["no images", "unknown model", "top_k of 0"],
)
async def test_a_request_that_fails_does_not_end_the_stream(
    stub: Any, bad: pb.ClassifyRequest, code: grpc.StatusCode
) -> None:
    """It is answered with its error; those before and after it are answered as ever."""
    bad.request_id = "bad"
    answers = await collect(stub, request(1, request_id="x"), bad, request(2, request_id="y"))
    codes = {answer.request_id: answer.error.code for answer in answers}

    assert {"x": 0, "bad": code.value[0], "y": 0} == codes


async def test_a_fault_of_ours_does_not_end_the_stream(stub: Any, tiny: InProcessServer) -> None:
    """The request is answered with INTERNAL and its id, and nothing else of what went wrong."""
    tiny.engine.poison = 66
    tiny.engine.error = RuntimeError("secret")
    answers = await collect(stub, request(66, request_id="bad"), request(1, request_id="good"))
    errors = {answer.request_id: answer.error for answer in answers}

    assert {
        "bad": pb.Error(code=13, message="internal error (request id bad)"),
        "good": pb.Error(),
    } == errors


async def test_what_cannot_be_read_ends_the_stream(tiny_channel: Any) -> None:
    """A message that is no request has no id to be answered by."""
    stream = tiny_channel.stream_stream(PATH)(iter([b"\xff\xff"]), timeout=20)
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await stream.read()

    assert (
        grpc.StatusCode.INVALID_ARGUMENT,
        "the message is not a saccade.v1.ClassifyRequest",
    ) == (
        ended.value.code(),
        ended.value.details(),
    )


async def test_what_came_before_a_message_that_cannot_be_read_is_answered(
    tiny_channel: Any,
) -> None:
    """The stream ends after the answers that are owed."""
    good = request(1, request_id="good").SerializeToString()
    stream = tiny_channel.stream_stream(PATH)(iter([good, b"\xff\xff"]), timeout=20)
    answer = pb.ClassifyStreamResponse.FromString(await stream.read())

    assert "good" == answer.request_id


async def test_requests_without_an_id_get_one_each(stub: Any) -> None:
    """They are answered, though a caller with several of them cannot tell whose is whose."""
    answers = await collect(stub, request(1), request(2))

    assert 2 == len({answer.request_id for answer in answers if answer.request_id})


async def test_a_failed_request_without_an_id_gets_one(stub: Any) -> None:
    """By which the log can be searched."""
    (answer,) = await collect(stub, pb.ClassifyRequest())

    assert answer.request_id


async def test_requests_with_the_same_id_are_both_answered(stub: Any) -> None:
    """The server does not mind; matching them is their caller's business."""
    answers = await collect(stub, request(1, request_id="twin"), request(2, request_id="twin"))

    assert ["twin", "twin"] == [answer.request_id for answer in answers]


async def test_an_id_that_cannot_be_logged_is_refused(stub: Any) -> None:
    """With that id, so that its caller can match the refusal."""
    long = "x" * 129
    (answer,) = await collect(stub, request(1, request_id=long))

    assert (long, 3) == (answer.request_id, answer.error.code)


async def test_many_requests_are_batched(stub: Any, tiny: InProcessServer) -> None:
    """Those that wait for the engine share its calls."""
    tiny.engine.block()
    stream = stub.ClassifyStream(timeout=20)
    await stream.write(request(0))
    await asyncio.to_thread(tiny.engine.wait_called)
    for mark in range(1, 5):
        await stream.write(request(mark))
    await tiny.reach_queued(4)
    tiny.engine.release()
    await stream.done_writing()
    async for _ in stream:
        pass

    assert [[0], [1, 2, 3, 4]] == tiny.engine.batches


async def test_many_more_requests_than_are_served_at_once(stub: Any) -> None:
    """They wait in the socket; all are answered, or refused for want of room in the queue."""
    count = 3 * MAX_STREAM_REQUESTS
    requests = [request(1, request_id=str(number)) for number in range(count)]
    answers = await collect(stub, *requests)

    assert {str(number) for number in range(count)} == {answer.request_id for answer in answers}


async def test_a_cancelled_stream_costs_no_more_compute(stub: Any, tiny: InProcessServer) -> None:
    """What it had queued is dropped."""
    tiny.engine.block()
    stream = stub.ClassifyStream(timeout=20)
    await stream.write(request(0))
    await asyncio.to_thread(tiny.engine.wait_called)
    await stream.write(request(1))
    await tiny.reach_queued(1)
    stream.cancel()
    await tiny.reach_queued(0)
    tiny.engine.release()
    answered = await stub.Classify(request(2), timeout=20)

    assert ([[0], [2]], 1) == (tiny.engine.batches, len(answered.results))


async def test_a_cancelled_stream_is_counted_as_such(stub: Any, tiny: InProcessServer) -> None:
    """Neither as a success nor as an error of ours."""
    stream = stub.ClassifyStream(timeout=20)
    await stream.write(request(0))
    await stream.read()
    stream.cancel()
    labels = {"api": "saccade", "method": "ClassifyStream", "model": "tiny", "code": "CANCELLED"}
    await tiny.reach(1, "saccade_requests_total", **labels)

    assert 0 == tiny.value("saccade_requests_total", **{**labels, "code": "OK"})


async def test_a_caller_that_sends_for_ever_is_answered_meanwhile(stub: Any) -> None:
    """Answers do not wait for the end of the requests."""

    async def endless() -> AsyncIterator[pb.ClassifyRequest]:
        number = 0
        while True:
            yield request(1, request_id=str(number))
            number += 1
            await settle()

    stream = stub.ClassifyStream(endless(), timeout=20)
    answers = [await stream.read() for _ in range(5)]
    stream.cancel()

    assert 5 == len({answer.request_id for answer in answers})


async def test_a_drain_ends_a_stream_that_asks_nothing(stub: Any, tiny: InProcessServer) -> None:
    """Or else it would hold up the end of the process."""
    stream = stub.ClassifyStream(timeout=20)
    await stream.write(request(1))
    await stream.read()
    tiny.answerer.drain()

    assert ("UNAVAILABLE", "the server is shutting down: send what is not answered elsewhere") == (
        await failure(stream.read())
    )


async def test_a_drain_lets_a_stream_be_answered_what_it_asked(
    stub: Any, tiny: InProcessServer
) -> None:
    """What was read is answered before the stream ends."""
    tiny.engine.block()
    stream = stub.ClassifyStream(timeout=20)
    await stream.write(request(1, request_id="asked"))
    await asyncio.to_thread(tiny.engine.wait_called)
    tiny.answerer.drain()
    tiny.engine.release()
    answer = await stream.read()

    assert ("asked", "UNAVAILABLE") == (answer.request_id, (await failure(stream.read()))[0])
