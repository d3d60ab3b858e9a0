"""Streams over real sockets, with both clients."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, closing
from typing import Any

import grpc
import pytest

import saccade
from integration.client.servers import EchoClassifier, Failure
from saccade import StreamAnswer, StreamRequest

Stream = Callable[..., Awaitable[list[StreamAnswer]]]


def requests(*names: str) -> list[StreamRequest]:
    return [StreamRequest(images=name.encode(), request_id=name) for name in names]


@pytest.fixture(params=["sync", "async"])
def stream(request: pytest.FixtureRequest, server: str) -> Stream:
    """Sends requests over one stream; answers until the stream ends, or so many."""

    async def from_blocking(
        wanted: Iterable[StreamRequest], at_most: int = 1000, **arguments: Any
    ) -> list[StreamAnswer]:
        found = []
        with (
            saccade.Client(server) as client,
            closing(client.classify_stream(iter(wanted), **arguments)) as answers,
        ):
            for answer in answers:
                found.append(answer)
                if len(found) == at_most:
                    break
        return found

    async def from_async(
        wanted: Iterable[StreamRequest], at_most: int = 1000, **arguments: Any
    ) -> list[StreamAnswer]:
        async def wanted_later() -> AsyncIterator[StreamRequest]:
            for one in wanted:
                yield one

        found = []
        async with (
            saccade.AsyncClient(server) as client,
            aclosing(client.classify_stream(wanted_later(), **arguments)) as answers,
        ):
            async for answer in answers:
                found.append(answer)
                if len(found) == at_most:
                    break
        return found

    return from_blocking if request.param == "sync" else from_async


async def test_answers_are_matched_to_their_requests(
    stream: Stream, classifier: EchoClassifier
) -> None:
    """Here each two of them come the wrong way round."""
    classifier.stream_group = 2
    wanted = requests("a", "b", "c")
    answers = await stream(wanted)

    assert [(wanted[1], "b"), (wanted[0], "a"), (wanted[2], "c")] == [
        (answer.request, answer.result().raise_for_errors()[0].label) for answer in answers
    ]


async def test_a_request_that_fails_does_not_end_the_stream(stream: Stream) -> None:
    """Its error is its answer."""
    bad = StreamRequest(images=b"b", model="no such model")
    answers = await stream([*requests("a"), bad, *requests("c")])

    assert [saccade.ClassifyResult, saccade.NotFound, saccade.ClassifyResult] == [
        type(answer.outcome) for answer in answers
    ]


async def test_a_wrong_input_is_raised_after_the_answers(stream: Stream) -> None:
    """What had been sent before it is not lost."""
    seen = []

    def wanted() -> Iterator[StreamRequest]:
        yield from requests("a")
        seen.append("a")
        yield StreamRequest(images=b"")
        seen.append("never")

    with pytest.raises(saccade.InputError, match="empty"):
        await stream(wanted())

    assert ["a"] == seen


async def test_an_error_of_the_callers_own_comes_back_to_him(stream: Stream) -> None:
    """And is not swallowed by the machinery between."""

    def wanted() -> Iterator[StreamRequest]:
        yield from requests("a")
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await stream(wanted())


async def test_a_refused_stream_is_an_error(stream: Stream, classifier: EchoClassifier) -> None:
    """By its code, and not retried."""
    classifier.failures = [Failure(grpc.StatusCode.UNAVAILABLE)]
    with pytest.raises(saccade.Unavailable):
        await stream(requests("a"))


async def test_a_stream_refused_while_it_is_written_tells_why(
    stream: Stream, classifier: EchoClassifier
) -> None:
    """Though a write fails at it, most of the time."""
    refused = []
    for _ in range(10):
        classifier.failures = [Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", 0.5)]
        with pytest.raises(saccade.Overloaded) as error:
            await stream(requests(*map(str, range(64))))
        refused.append(error.value.retry_after_s)

    assert [0.5] * 10 == refused


async def test_a_cancelled_stream_is_an_error(stream: Stream, classifier: EchoClassifier) -> None:
    """If the server did it; it does not cancel the caller's task."""
    classifier.failures = [Failure(grpc.StatusCode.CANCELLED)]
    with pytest.raises(saccade.ServerError):
        await stream(requests("a"))


async def test_only_so_many_requests_are_under_way(
    stream: Stream, classifier: EchoClassifier
) -> None:
    """The server waits for three before it answers, and is sent two."""
    classifier.stream_group = 3
    with pytest.raises(saccade.DeadlineExceeded):
        await stream(requests("a", "b", "c"), max_in_flight=2, timeout=0.5)

    assert 2 == len(classifier.requests)


async def test_a_long_stream_flows_through_few_places(stream: Stream) -> None:
    """Each answer makes room for the next request."""
    answers = await stream(requests(*map(str, range(50))), max_in_flight=4)

    assert 50 == len(answers)


async def test_a_stream_can_be_left_early(stream: Stream) -> None:
    """Though there is no end to its requests."""

    def wanted() -> Iterator[StreamRequest]:
        while True:
            yield StreamRequest(images=b"a")

    assert 3 == len(await stream(wanted(), at_most=3, max_in_flight=2))


def test_the_thread_of_a_stream_left_early_ends(server: str) -> None:
    """Even while it waits for room: it lets go of the requests' iterator."""
    third_is_waiting, let_go = threading.Event(), threading.Event()

    def wanted() -> Iterator[StreamRequest]:
        try:
            yield from requests("a", "b")
            third_is_waiting.set()
            yield from requests("c")
        finally:
            let_go.set()

    with saccade.Client(server) as client:
        answers = client.classify_stream(wanted(), max_in_flight=1)
        next(answers)
        third_is_waiting.wait(5)
        answers.close()

    assert let_go.wait(5)
