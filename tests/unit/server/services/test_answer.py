"""What every call has in common: parse, handle, count, and say what went wrong."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from saccade_server import errors
from saccade_server.errors import Code, SaccadeError
from saccade_server.metrics import Metrics
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call
from saccade_server.services.inflight import Inflight
from unit.server.services.texts import OURS, SECRET, messages, upper, upper_each


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

    assert ("INTERNAL", "r-7", True) == (
        record.getMessage(),
        fields(record)["request_id"],
        SECRET in caplog.text,
    )


async def test_an_internal_error_before_the_id_is_known_gets_one(
    answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    """The same in the answer and in the log."""
    failed = await failure(answerer, RuntimeError(SECRET))
    request_id = failed.message.removeprefix("internal error (request id ").removesuffix(")")

    assert request_id
    assert [request_id] == [fields(record)["request_id"] for record in caplog.records]


async def test_an_id_of_the_metadata_is_taken(
    answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    """Which a proxy may have set; for a message that cannot be parsed there is no other."""
    call = Call(metadata={"x-request-id": "proxy-7"})
    with pytest.raises(SaccadeError), caplog.at_level(logging.INFO):
        await answerer.unary(upper(), b"\xff", call)

    assert ["proxy-7"] == [fields(record)["request_id"] for record in caplog.records]


@pytest.mark.parametrize("text", ["", "two\nlines", "x" * 129, "café", "\x1b[2J"])
async def test_an_id_that_does_not_belong_into_a_log_is_replaced(
    answerer: Answerer, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """A made one takes its place; the request is not refused for it."""
    with pytest.raises(SaccadeError), caplog.at_level(logging.INFO):
        await answerer.unary(upper(), b"\xff", Call(metadata={"x-request-id": text}))
    (record,) = caplog.records

    assert re.fullmatch("[0-9a-f]{32}", str(fields(record)["request_id"]))


async def test_the_cause_does_not_hang_on_the_callers_error(answerer: Answerer) -> None:
    """Whatever prints it prints nothing of ours."""
    assert (await failure(answerer, RuntimeError(SECRET))).__cause__ is None


async def test_a_refusal_is_logged_quietly(
    answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller's mistakes are no alarm of ours."""
    call = Call(request_id="r-7", peer="ipv4:10.0.0.7:5")
    with pytest.raises(SaccadeError), caplog.at_level(logging.INFO):
        await answerer.unary(upper(errors.NotFound("no model 'x'")), b"", call)
    (record,) = caplog.records
    told = dict(fields(record))

    assert (logging.INFO, "NOT_FOUND: no model 'x'") == (record.levelno, record.getMessage())
    assert 0 < float(str(told.pop("duration_s"))) < 60
    assert {
        "request_id": "r-7",
        "method": "/test.Texts/Upper",
        "model": "digits",
        "code": "NOT_FOUND",
        "peer": "ipv4:10.0.0.7:5",
    } == told


TROUBLES = {
    errors.Overloaded: logging.WARNING,
    errors.DeadlineExceeded: logging.WARNING,
    errors.Unavailable: logging.WARNING,
    errors.Unauthenticated: logging.WARNING,
    errors.PermissionDenied: logging.WARNING,
    errors.InvalidArgument: logging.INFO,
    errors.FailedPrecondition: logging.INFO,
    errors.Unimplemented: logging.INFO,
}


@pytest.mark.parametrize("kind", TROUBLES)
async def test_what_an_operator_should_look_at_is_a_warning(
    answerer: Answerer, caplog: pytest.LogCaptureFixture, kind: type[SaccadeError]
) -> None:
    """What only its caller can mend is not."""
    with caplog.at_level(logging.INFO):
        await failure(answerer, kind("trouble"))

    assert [TROUBLES[kind]] == [record.levelno for record in caplog.records]


async def test_the_trace_s_id_is_told(answerer: Answerer, caplog: pytest.LogCaptureFixture) -> None:
    """Without any tracing here: the caller's is enough to find the line."""
    call = Call(metadata={"traceparent": f"00-{7:032x}-{8:016x}-00"})
    with pytest.raises(SaccadeError), caplog.at_level(logging.INFO):
        await answerer.unary(upper(errors.NotFound("no")), b"", call)

    assert [f"{7:032x}"] == [fields(record)["trace_id"] for record in caplog.records]


async def test_a_request_whose_caller_has_gone_is_told(
    answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, as no fault of ours."""
    with pytest.raises(asyncio.CancelledError), caplog.at_level(logging.INFO):
        await answerer.unary(upper(asyncio.CancelledError()), b"", Call(request_id="r-7"))

    assert [("CANCELLED: the caller has gone", "CANCELLED", "r-7")] == [
        (record.getMessage(), fields(record)["code"], fields(record)["request_id"])
        for record in caplog.records
    ]


async def test_a_request_whose_deadline_passed_is_told_so(
    answerer: Answerer, caplog: pytest.LogCaptureFixture
) -> None:
    """The transport gives it up in the same way."""
    with pytest.raises(asyncio.CancelledError), caplog.at_level(logging.INFO):
        await answerer.unary(upper(asyncio.CancelledError()), b"", Call(deadline=0.0))

    assert ["CANCELLED: the deadline passed"] == [each.getMessage() for each in caplog.records]


async def test_a_long_text_is_cut(answerer: Answerer, caplog: pytest.LogCaptureFixture) -> None:
    """Parts of it may be the caller's."""
    with caplog.at_level(logging.INFO):
        await failure(answerer, errors.NotFound("x" * 100_000))

    assert len(caplog.records[0].getMessage()) < 400


def fields(record: logging.LogRecord) -> dict[str, object]:
    """What a record tells beside its text."""
    told: dict[str, object] = record.__dict__["fields"]
    return told


@pytest.mark.parametrize(
    ("starting", "under_way", "alone"), [(0, 0, True), (1, 0, False), (0, 1, False)]
)
async def test_a_call_knows_whether_it_is_alone(
    metrics: Metrics, starting: int, under_way: int, alone: bool
) -> None:
    """Neither beside another one nor while another one's handler is about to start."""
    inflight = Inflight(metrics)
    answerer = Answerer(metrics, inflight)
    answerer.announced.starting = starting
    for _ in range(under_way):
        inflight.enter()
    call = Call()
    await answerer.unary(upper(), b"", call)

    assert alone == call.alone
