"""From statuses to typed errors."""

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2, timestamp_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from saccade import _errors
from saccade._status import answer_error, call_error, retry_after_s, status_code
from saccade.v1 import classifier_pb2 as pb
from unit.client.fakes import FakeRpcError

DETAILS = "grpc-status-details-bin"


def packed(*details: Message) -> bytes:
    """The bytes of a google.rpc.Status with these details."""
    status = status_pb2.Status()
    for detail in details:
        box = any_pb2.Any()
        box.Pack(detail)
        status.details.append(box)
    return bytes(status.SerializeToString())


def retry_info(seconds: int, nanos: int = 0) -> Message:
    delay = duration_pb2.Duration(seconds=seconds, nanos=nanos)
    info: Message = error_details_pb2.RetryInfo(retry_delay=delay)
    return info


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, _errors.InvalidArgument),
        (grpc.StatusCode.NOT_FOUND, _errors.NotFound),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, _errors.Overloaded),
        (grpc.StatusCode.DEADLINE_EXCEEDED, _errors.DeadlineExceeded),
        (grpc.StatusCode.UNAVAILABLE, _errors.Unavailable),
        (grpc.StatusCode.UNAUTHENTICATED, _errors.Unauthenticated),
        (grpc.StatusCode.PERMISSION_DENIED, _errors.PermissionDenied),
        (grpc.StatusCode.INTERNAL, _errors.ServerError),
        (grpc.StatusCode.UNIMPLEMENTED, _errors.ServerError),
        (grpc.StatusCode.CANCELLED, _errors.ServerError),
    ],
)
def test_the_code_alone_decides_the_kind(
    code: grpc.StatusCode, kind: type[_errors.SaccadeError]
) -> None:
    """A text that speaks of something else changes nothing."""
    error = call_error(FakeRpcError(code, "deadline exceeded, not found"), "id-1")

    assert (kind, code, "id-1") == (type(error), error.code, error.request_id)


def test_the_servers_text_is_the_message() -> None:
    """It says what to do."""
    assert "queue is full" == str(
        call_error(FakeRpcError(grpc.StatusCode.INTERNAL, "queue is full"))
    )


def test_without_a_text_the_code_is_the_message() -> None:
    """An error is never empty."""
    assert "INTERNAL" == str(call_error(FakeRpcError(grpc.StatusCode.INTERNAL)))


def test_the_delay_is_that_of_retry_info() -> None:
    """Other details beside it do not matter."""
    details = packed(timestamp_pb2.Timestamp(seconds=9), retry_info(1, 500_000_000))
    failure = FakeRpcError(grpc.StatusCode.UNAVAILABLE, "", [("x", "y"), (DETAILS, details)])

    assert 1.5 == call_error(failure).retry_after_s


@pytest.mark.parametrize("details", [packed(), b"\xff\xff\xff", b""], ids=["none", "junk", "empty"])
def test_details_without_retry_info_give_no_delay(details: bytes) -> None:
    """Bytes of somebody else do not hide the code."""
    failure = FakeRpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, "", [(DETAILS, details)])

    assert call_error(failure).retry_after_s is None


def test_a_negative_delay_counts_as_none_at_all() -> None:
    """A server with a wrong clock does not make the client sleep backwards."""
    failure = FakeRpcError(grpc.StatusCode.UNAVAILABLE, "", [(DETAILS, packed(retry_info(-3)))])

    assert 0.0 == call_error(failure).retry_after_s


def test_a_code_of_a_later_day_is_unknown() -> None:
    """Numbers that this gRPC has no name for still become an error."""
    assert grpc.StatusCode.UNKNOWN == status_code(99)


def test_zero_microseconds_mean_that_a_retry_is_of_no_use() -> None:
    """As the contract says of the field."""
    assert retry_after_s(pb.Error(code=3)) is None


def test_an_error_in_an_answer_becomes_the_same_kind() -> None:
    """A stream's errors and a call's errors are caught alike."""
    error = answer_error(pb.Error(code=8, message="full", retry_after_us=250_000), "id-2")

    assert (_errors.Overloaded, 0.25) == (type(error), error.retry_after_s)
