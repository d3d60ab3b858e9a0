"""ModelStreamInfer: many requests over one stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest

from fixtures.in_process import InProcessServer
from integration.server.conftest import StartInProcess
from integration.server.failures import failure
from integration.server.inference.asking import SERVICE, numbers, scores
from saccade_server.protocols import inference_pb as pb


@pytest.fixture
async def tiny(start_in_process: StartInProcess) -> InProcessServer:
    """Its queue holds whatever a stream may have under way."""
    return await start_in_process(max_queue_images=64)


@pytest.fixture
def stream(tiny_channel: grpc.aio.Channel) -> Any:
    """The method; messages that are bytes already are sent as they are."""
    return tiny_channel.stream_stream(
        f"/{SERVICE}/ModelStreamInfer",
        request_serializer=lambda each: (
            each if isinstance(each, bytes) else each.SerializeToString()
        ),
        response_deserializer=pb.ModelStreamInferResponse.FromString,
    )


def marked(mark: int, **fields: Any) -> Any:
    """A request whose id is its pixel."""
    asked = numbers(mark)
    asked.id = str(mark)
    for name, value in fields.items():
        setattr(asked, name, value)
    return asked


async def test_answers_keep_the_order_of_the_requests(stream: Any) -> None:
    """However many there are, and whichever is ready first."""
    asked = [marked(mark) for mark in range(100)]
    answers = [answer.infer_response async for answer in stream(iter(asked), timeout=20)]

    assert [
        (str(mark), [[round(1 - mark / 255, 4), round(mark / 255, 4)]]) for mark in range(100)
    ] == [(answer.id, scores(answer)) for answer in answers]


async def test_requests_of_a_stream_share_batches(stream: Any, tiny: InProcessServer) -> None:
    """The next request does not wait for the answer to the one before."""
    tiny.engine.block()
    call = stream(iter([marked(mark) for mark in range(5)]), timeout=20)
    await asyncio.to_thread(tiny.engine.wait_called)
    await tiny.reach_queued(4)
    tiny.engine.release()
    answers = [answer async for answer in call]

    assert (5, [[0], [1, 2, 3, 4]]) == (len(answers), tiny.engine.batches)


async def test_a_bad_request_is_an_answer_of_its_own(stream: Any) -> None:
    """With its id and what is wrong; the stream goes on."""
    asked = [marked(1), marked(2, model_name="nobody"), marked(3)]
    answers = [
        (answer.infer_response.id, answer.error_message[:25])
        async for answer in stream(iter(asked), timeout=20)
    ]

    assert [("1", ""), ("2", "Request for unknown model"), ("3", "")] == answers


async def test_what_is_no_message_ends_the_stream(stream: Any) -> None:
    """After the answers to what came before it."""
    call = stream(iter([marked(1), b"\xff"]), timeout=20)
    first = await call.read()
    code, text = await failure(call.read())

    assert ("1", "INVALID_ARGUMENT", "the message is not a inference.ModelInferRequest") == (
        first.infer_response.id,
        code,
        text,
    )


async def test_the_last_answer_is_marked_where_that_is_asked(stream: Any) -> None:
    """For clients that wait for the end of a request's answers."""
    asked = marked(1)
    asked.parameters["triton_enable_empty_final_response"].bool_param = True
    (answer,) = [answer async for answer in stream(iter([asked]), timeout=20)]

    assert answer.infer_response.parameters["triton_final_response"].bool_param


async def test_a_stream_that_is_left_costs_nothing_more(stream: Any, tiny: InProcessServer) -> None:
    """What waits in the queue leaves it with its caller."""
    tiny.engine.block()

    async def endless() -> AsyncIterator[Any]:
        for mark in range(5):
            yield marked(mark)
        await asyncio.Event().wait()

    call = stream(endless(), timeout=20)
    await asyncio.to_thread(tiny.engine.wait_called)
    await tiny.reach_queued(4)
    call.cancel()
    await tiny.reach_queued(0)
    tiny.engine.release()

    assert [[0]] == tiny.engine.batches
