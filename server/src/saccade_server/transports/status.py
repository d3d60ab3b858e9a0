"""How an error becomes the status of a call, whatever the transport."""

from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from saccade_server.errors import SaccadeError

DETAILS = "grpc-status-details-bin"
"""The trailer that carries them."""


def status_details(error: SaccadeError) -> bytes:
    """A serialised google.rpc.Status with RetryInfo, or nothing where no retry makes sense."""
    if error.retry_after_s is None:
        return b""
    delay = duration_pb2.Duration()
    delay.FromMicroseconds(round(error.retry_after_s * 1e6))
    packed = any_pb2.Any()
    packed.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=error.code, message=error.message, details=[packed])
    return bytes(status.SerializeToString())
