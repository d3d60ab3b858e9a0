"""The status with which a server ended a stream, where gRPC's asyncio stack would lose it.

When the server ends a stream while a request is being written, that write fails, and grpc.aio
then sets a status of its own: INTERNAL, "Internal error from Core". It comes before the server's
status or after it, whichever the event loop gets to first, and what is raised may be either.
Callbacks are called for both, so the server's can be told (grpc issue 36066).
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol, TypeVar

import grpc
import grpc.aio

_OF_GRPC_ITSELF = grpc.StatusCode.INTERNAL, "Internal error from Core"

Value = TypeVar("Value")


class _Call(Protocol):
    """What of a `grpc.aio.Call` is used here."""

    def add_done_callback(self, callback: Callable[[Any], None]) -> None: ...
    async def code(self) -> grpc.StatusCode: ...
    async def details(self) -> str: ...
    async def trailing_metadata(self) -> grpc.aio.Metadata: ...


class StreamEnding:
    """Listens from the start to how one stream ends. Belongs to the running event loop.

    Args:
        call: The stream, just begun.
        patience_s: How long the server's status may come after gRPC's own.
    """

    def __init__(self, call: _Call, patience_s: float = 1.0) -> None:
        self._patience_s = patience_s
        self._told: asyncio.Future[grpc.aio.AioRpcError]
        self._told = asyncio.get_running_loop().create_future()
        call.add_done_callback(self._listen)

    async def told(self, raised: grpc.RpcError) -> grpc.RpcError:
        """What the server said, where `raised` hides it; else `raised`. May be OK."""
        if not _is_of_grpc_itself(raised):
            return raised
        try:
            return await asyncio.wait_for(self._told, self._patience_s)
        except TimeoutError:
            return raised

    def _listen(self, call: _Call) -> None:
        status = grpc.aio.AioRpcError(
            _at_hand(call.code()),
            trailing_metadata=_at_hand(call.trailing_metadata()),
            details=_at_hand(call.details()),
        )
        if not self._told.done() and not _is_of_grpc_itself(status):
            self._told.set_result(status)


def _is_of_grpc_itself(status: grpc.RpcError) -> bool:
    return (status.code(), status.details()) == _OF_GRPC_ITSELF


def _at_hand(value: Awaitable[Value]) -> Value:
    """What an awaitable that has nothing to wait for gives.

    A task would see the status that stands a moment later.
    """
    steps: Generator[Any, None, Value] = value.__await__()
    try:
        next(steps)
    except StopIteration as end:
        at_hand: Value = end.value
        return at_hand
    steps.close()
    raise RuntimeError("a call that is done has no status")
