"""The calls of one split list, so that all can be given up when one fails.

A call that travels alone takes gRPC's blocking path instead, which is quicker than its futures.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

import grpc

Response = TypeVar("Response")


class Flight:
    """Calls that end together. Thread-safe."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._calls: set[grpc.Future[Any]] = set()

    def sender(
        self, method: "grpc.UnaryUnaryMultiCallable[Any, Response]"
    ) -> Callable[..., Response]:
        """`method` as part of this flight: same arguments, same errors."""

        def send(request: object, **arguments: Any) -> Response:
            call = method.future(request, **arguments)
            self._calls.add(call)
            # Asked after adding: `end` has either seen the call or is seen here.
            if self._ended.is_set():
                call.cancel()
            try:
                return call.result()
            except grpc.FutureCancelledError:
                raise cast("grpc.RpcError", call) from None
            finally:
                self._calls.discard(call)

        return send

    def pause(self, seconds: float) -> None:
        """Waits, but not beyond the flight's end."""
        self._ended.wait(seconds)

    def end(self) -> None:
        """Cancels what is under way and whatever is sent from now on."""
        self._ended.set()
        for call in tuple(self._calls):
            call.cancel()
