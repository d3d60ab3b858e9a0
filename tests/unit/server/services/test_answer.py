"""What every call has in common: parse, handle, count, and say what went wrong."""

import logging
from collections.abc import AsyncIterator

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from saccade_server import errors
from saccade_server.errors import Code, SaccadeError
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call
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
