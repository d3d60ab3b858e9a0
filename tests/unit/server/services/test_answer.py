"""What every call has in common: parse, handle, count, and say what went wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from saccade_server import errors
from saccade_server.errors import Code, SaccadeError
from saccade_server.metrics import Metrics
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method

SECRET = "the password is swordfish"


@pytest.fixture
def metrics() -> Metrics:
    """The answerer's metrics."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def answerer(metrics: Metrics) -> Answerer:
    """What is tested."""
    return Answerer(metrics)


def upper(error: BaseException | None = None) -> Method:
    """A method that gives a text back in capitals, or fails."""

    async def handle(request: StringValue, call: Call) -> StringValue:
        call.model = "digits"
        if error is not None:
            raise error
        return StringValue(value=request.value.upper())

    return Method(api="test", path="/test.Texts/Upper", request=StringValue, unary=handle)


def upper_each(error: BaseException | None = None) -> Method:
    """A method that gives each text back in capitals, and may fail after the last."""

    async def handle(
        requests: AsyncIterator[StringValue], call: Call
    ) -> AsyncIterator[StringValue]:
        call.model = "digits"
        async for request in requests:
            yield StringValue(value=request.value.upper())
        if error is not None:
            raise error

    return Method(
        api="test",
        path="/test.Texts/UpperEach",
        request=StringValue,
        stream=handle,
        streams_requests=True,
    )


async def messages(*texts: str) -> AsyncIterator[bytes]:
    """Requests as they come from a transport."""
    for text in texts:
        yield StringValue(value=text).SerializeToString()


async def failure(answerer: Answerer, error: Exception, request_id: str = "") -> SaccadeError:
    """What the caller gets to see of an error."""
    with pytest.raises(SaccadeError) as failed:
        await answerer.unary(upper(error), b"", Call(request_id=request_id))
    return failed.value


async def test_bytes_become_bytes(answerer: Answerer) -> None:
    """Parsed, handled, serialised."""
    answer = await answerer.unary(upper(), StringValue(value="cat").SerializeToString(), Call())

    assert "CAT" == StringValue.FromString(answer).value


async def test_each_message_of_a_stream_is_answered(answerer: Answerer) -> None:
    """Parsed, handled, serialised."""
    answers = answerer.stream(upper_each(), messages("a", "b"), Call())

    assert ["A", "B"] == [StringValue.FromString(answer).value async for answer in answers]


async def test_what_cannot_be_parsed_is_the_callers_fault(answerer: Answerer) -> None:
    """The text names the message that was expected."""
    with pytest.raises(errors.InvalidArgument) as refused:
        await answerer.unary(upper(), b"\xff", Call())

    assert "the message is not a google.protobuf.StringValue" == refused.value.message


async def test_what_cannot_be_parsed_in_a_stream_is_the_callers_fault(answerer: Answerer) -> None:
    """The text names the message that was expected."""

    async def junk() -> AsyncIterator[bytes]:
        yield b"\xff"

    with pytest.raises(errors.InvalidArgument) as refused:
        await anext(answerer.stream(upper_each(), junk(), Call()))

    assert "the message is not a google.protobuf.StringValue" == refused.value.message


OURS = [
    errors.InvalidArgument("this"),
    errors.NotFound("that"),
    errors.Overloaded("much", retry_after_s=1.5),
    errors.DeadlineExceeded("late"),
    errors.Unavailable("not now"),
    errors.Unauthenticated("who?"),
    errors.PermissionDenied("no"),
    errors.Unimplemented("never"),
]


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
async def test_an_error_of_ours_reaches_the_caller(answerer: Answerer, error: SaccadeError) -> None:
    """With its code, its text and its advice on a retry."""
    assert error is await failure(answerer, error)


UNFORESEEN = [
    RuntimeError(SECRET),
    errors.EngineError(SECRET),
    errors.ArtifactError(SECRET),
    errors.ConfigError(SECRET),
    KeyError(SECRET),
    MemoryError(SECRET),
    TimeoutError(SECRET),
]


@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda error: type(error).__name__)
async def test_any_other_error_is_internal(answerer: Answerer, error: Exception) -> None:
    """The caller gets the request id and nothing else."""
    failed = await failure(answerer, error, "r-7")

    assert (Code.INTERNAL, "internal error (request id r-7)") == (failed.code, failed.message)


async def test_the_details_of_an_internal_error_go_to_the_log(
    answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    """With the request id by which the caller's report is found."""
    await failure(answerer, RuntimeError(SECRET), "r-7")
    (record,) = caplog.records

    assert ("/test.Texts/Upper request_id=r-7 failed", True) == (
        record.getMessage(),
        SECRET in caplog.text,
    )


async def test_an_internal_error_before_the_id_is_known_gets_one(
    answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    """The same in the answer and in the log."""
    failed = await failure(answerer, RuntimeError(SECRET))
    request_id = failed.message.removeprefix("internal error (request id ").removesuffix(")")

    assert request_id
    assert f"request_id={request_id} failed" in caplog.text


async def test_the_cause_does_not_hang_on_the_callers_error(answerer: Answerer) -> None:
    """Whatever prints it prints nothing of ours."""
    assert (await failure(answerer, RuntimeError(SECRET))).__cause__ is None


async def test_a_refusal_is_logged_quietly(
    answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller's mistakes are no alarm of ours."""
    with caplog.at_level(logging.INFO):
        await failure(answerer, errors.NotFound("no model 'x'"), "r-7")
    (record,) = caplog.records

    expected = "/test.Texts/Upper request_id=r-7 peer= model=digits NOT_FOUND: no model 'x'"
    assert (logging.INFO, expected) == (record.levelno, record.getMessage())


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
    await failure(answerer, errors.NotFound("nothing"))
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
