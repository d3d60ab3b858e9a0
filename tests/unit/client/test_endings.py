"""With which status a stream ended, by what grpc.aio says in which order."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import grpc
import grpc.aio

from saccade._endings import StreamEnding

TRAILERS = grpc.aio.Metadata(("a", "b"))
REFUSED = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, None, TRAILERS, "no")
WRITE_FAILED = grpc.aio.AioRpcError(
    grpc.StatusCode.INTERNAL, details="Internal error from Core", debug_error_string="execute_batch"
)
SERVER_FAILED = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, details="a fault of the server")
OK = grpc.aio.AioRpcError(grpc.StatusCode.OK, details="")


class FakeCall:
    """A stream whose status is set by the test, once or several times."""

    def __init__(self) -> None:
        self._status = OK
        self._callbacks: list[Callable[[Any], None]] = []

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._callbacks.append(callback)

    async def code(self) -> grpc.StatusCode:
        return self._status.code()

    async def details(self) -> str:
        return self._status.details() or ""

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        return self._status.trailing_metadata() or grpc.aio.Metadata()

    def set_status(self, status: grpc.aio.AioRpcError) -> None:
        self._status = status
        for callback in self._callbacks:
            callback(self)


async def told(*statuses: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
    """What a stream is said to have ended with that got these statuses in turn, and no more."""
    call = FakeCall()
    ending = StreamEnding(call, patience_s=0.0)
    for status in statuses:
        call.set_status(status)
    return cast("grpc.aio.AioRpcError", await ending.told(statuses[-1]))


async def test_what_the_server_says_stands() -> None:
    """As it was raised."""
    assert REFUSED is await told(REFUSED)


async def test_the_servers_status_outlives_a_failed_write() -> None:
    """Which comes after it: with its text and what came along."""
    status = await told(REFUSED, WRITE_FAILED)

    assert (grpc.StatusCode.UNAVAILABLE, "no", TRAILERS) == (
        status.code(),
        status.details(),
        status.trailing_metadata(),
    )


async def test_the_servers_status_is_waited_for_after_a_failed_write() -> None:
    """It comes a moment later."""
    call = FakeCall()
    ending = StreamEnding(call, patience_s=10.0)
    call.set_status(WRITE_FAILED)
    asyncio.get_running_loop().call_soon(call.set_status, REFUSED)

    assert grpc.StatusCode.UNAVAILABLE is (await ending.told(WRITE_FAILED)).code()


async def test_a_write_that_failed_by_itself_is_the_status() -> None:
    """Where the server says nothing within the time."""
    assert WRITE_FAILED is await told(WRITE_FAILED)


async def test_an_early_end_in_order_is_no_failure() -> None:
    """Though a write failed at it."""
    assert grpc.StatusCode.OK is (await told(OK, WRITE_FAILED)).code()


async def test_a_fault_of_the_server_is_not_taken_for_grpcs_own() -> None:
    """Both are INTERNAL."""
    assert SERVER_FAILED is await told(SERVER_FAILED)
