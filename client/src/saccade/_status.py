"""From statuses on the wire to typed errors: by code and google.rpc details, never by text."""

from collections.abc import Iterable
from typing import Protocol, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from saccade import _errors
from saccade.v1 import classifier_pb2 as pb

_DETAILS = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_ERRORS: dict[grpc.StatusCode, type[_errors.SaccadeError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: _errors.InvalidArgument,
    grpc.StatusCode.NOT_FOUND: _errors.NotFound,
    grpc.StatusCode.RESOURCE_EXHAUSTED: _errors.Overloaded,
    grpc.StatusCode.DEADLINE_EXCEEDED: _errors.DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: _errors.Unavailable,
    grpc.StatusCode.UNAUTHENTICATED: _errors.Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: _errors.PermissionDenied,
}


class _Status(Protocol):
    """What the errors of both of gRPC's stacks have."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


def call_error(failure: grpc.RpcError, request_id: str | None = None) -> _errors.SaccadeError:
    """The typed form of a failed call, of the sync or of the async stack."""
    status = cast("_Status", failure)
    return _typed_error(
        status.code(),
        status.details() or "",
        request_id,
        _retry_after_s(status.trailing_metadata() or ()),
    )


def answer_error(error: pb.Error, request_id: str) -> _errors.SaccadeError:
    """The typed form of an error that stands in an answer (see ClassifyStream)."""
    return _typed_error(status_code(error.code), error.message, request_id, retry_after_s(error))


def status_code(number: int) -> grpc.StatusCode:
    """The code of a number of google.rpc.Code; UNKNOWN for one of a later day."""
    return _CODES.get(number, grpc.StatusCode.UNKNOWN)


def retry_after_s(error: pb.Error) -> float | None:
    """Seconds after which a retry makes sense; None where it is of no use."""
    return error.retry_after_us / 1e6 if error.retry_after_us > 0 else None


def _typed_error(
    code: grpc.StatusCode, message: str, request_id: str | None, after_s: float | None
) -> _errors.SaccadeError:
    kind = _ERRORS.get(code, _errors.ServerError)
    return kind(message or code.name, code=code, request_id=request_id, retry_after_s=after_s)


def _retry_after_s(metadata: Iterable[tuple[str, str | bytes]]) -> float | None:
    """The delay of google.rpc.RetryInfo, if the trailing metadata hold one."""
    details = next((value for key, value in metadata if key == _DETAILS), b"")
    retry = error_details_pb2.RetryInfo()
    try:
        status = status_pb2.Status.FromString(cast("bytes", details))
        if any(detail.Unpack(retry) for detail in status.details):
            delay_s: float = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
            return max(0.0, delay_s)
    except DecodeError:
        # Somebody else's bytes (a proxy's): the code still says what happened.
        pass
    return None
