"""What a failed call says to its caller."""

from collections.abc import Awaitable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

DETAILS = "grpc-status-details-bin"


async def failure(call: Awaitable[Any]) -> tuple[str, str]:
    """The code's name and the text with which a call fails."""
    error = await failed(call)
    return error.code().name, error.details() or ""


async def failed(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """The error with which a call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value


def retry_after_s(error: grpc.aio.AioRpcError) -> float | None:
    """What google.rpc.RetryInfo of an error advises; None without one."""
    packed = dict(error.trailing_metadata() or ()).get(DETAILS)
    if packed is None:
        return None
    (detail,) = status_pb2.Status.FromString(packed).details
    info = error_details_pb2.RetryInfo()
    assert detail.Unpack(info)
    return float(info.retry_delay.ToTimedelta().total_seconds())
