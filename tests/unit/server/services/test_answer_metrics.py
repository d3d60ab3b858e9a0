"""Every call is counted once, by its code, and measured."""

import asyncio
from collections.abc import Callable

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from saccade_server import errors
from saccade_server.errors import SaccadeError
from saccade_server.metrics import Metrics
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method
from unit.server.services.texts import OURS, SECRET, messages, upper, upper_each

COUNTED: list[tuple[Exception | None, str]] = [
    (None, "OK"),
    *((error, error.code.name) for error in OURS),
    (RuntimeError(SECRET), "INTERNAL"),
]


@pytest.mark.parametrize(("error", "code"), COUNTED, ids=[code for _, code in COUNTED])
@pytest.mark.parametrize("streams", [False, True], ids=["unary", "stream"])
async def test_a_call_is_counted_by_its_code(
    answerer: Answerer, metrics: Metrics, streams: bool, error: Exception | None, code: str
) -> None:
    """Once, whether it streams or not."""
    method = upper_each(error) if streams else upper(error)
    try:
        if streams:
            async for _ in answerer.stream(method, messages("a", "b"), Call()):
                pass
        else:
            await answerer.unary(method, b"", Call())
    except SaccadeError:
        pass
    samples = [sample for family in metrics.requests.collect() for sample in family.samples]
    labels = {"api": "test", "method": method.name, "model": "digits", "code": code}

    assert [(labels, 1)] == [(sample.labels, sample.value) for sample in samples]


async def test_the_time_of_a_call_is_measured(answerer: Answerer, metrics: Metrics) -> None:
    """Also where it fails."""
    with pytest.raises(errors.NotFound):
        await answerer.unary(upper(errors.NotFound("nothing")), b"", Call())
    labels = {"api": "test", "method": "Upper", "model": "digits"}
    count = metrics.registry.get_sample_value("saccade_request_seconds_count", labels)

    assert 1 == count


@pytest.fixture
def inflight(metrics: Metrics) -> Callable[[], float | None]:
    """Reads the gauge of calls under way."""
    return lambda: metrics.registry.get_sample_value("saccade_inflight_requests")


async def test_calls_under_way_are_counted(
    answerer: Answerer, inflight: Callable[[], float | None]
) -> None:
    """While they are, and no longer."""
    seen: list[float | None] = []

    async def handle(request: StringValue, call: Call) -> StringValue:
        seen.append(inflight())
        return request

    method = Method(api="test", path="/test.Texts/Look", request=StringValue, unary=handle)
    await answerer.unary(method, b"", Call())

    assert ([1], 0) == (seen, inflight())


async def test_a_call_whose_caller_has_gone_is_counted_as_cancelled(
    answerer: Answerer, metrics: Metrics
) -> None:
    """It stays cancelled: nothing is made of it that a caller could see."""
    method = upper(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await answerer.unary(method, b"", Call())
    labels = {"api": "test", "method": "Upper", "model": "digits", "code": "CANCELLED"}

    assert 1 == metrics.registry.get_sample_value("saccade_requests_total", labels)


async def test_a_stream_that_is_left_is_counted_as_cancelled(
    answerer: Answerer, metrics: Metrics, inflight: Callable[[], float | None]
) -> None:
    """The transport closes it where its caller goes in the middle."""
    answers = answerer.stream(upper_each(), messages("a", "b"), Call())
    await anext(answers)
    await answers.aclose()  # type: ignore[attr-defined]
    labels = {"api": "test", "method": "UpperEach", "model": "digits", "code": "CANCELLED"}
    count = metrics.registry.get_sample_value("saccade_requests_total", labels)

    assert (1, 0) == (count, inflight())
