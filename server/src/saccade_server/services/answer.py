"""What every call of every API has in common: parse, handle, count, and say what went wrong."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from google.protobuf.message import DecodeError

from saccade_server.errors import Code, InvalidArgument, SaccadeError
from saccade_server.metrics import Metrics
from saccade_server.services.call import Call, Method

log = logging.getLogger(__name__)


class Answerer:
    """Stands between a transport and the handlers: bytes in, bytes or a SaccadeError out."""

    def __init__(self, metrics: Metrics) -> None:
        self._inflight = metrics.inflight_requests.labels()
        self._requests = metrics.requests
        self._seconds = metrics.request_seconds

    async def unary(self, method: Method, data: bytes, call: Call) -> bytes:
        """Answers a unary call.

        Raises:
            SaccadeError: With the code and the text for the caller.
            asyncio.CancelledError: The caller has gone.
        """
        if method.unary is None:
            raise TypeError(f"{method.path} streams")
        with self._observed(method, call):
            request = method.request.FromString(data)
            return (await method.unary(request, call)).SerializeToString()

    async def stream(
        self, method: Method, messages: AsyncIterator[bytes], call: Call
    ) -> AsyncIterator[bytes]:
        """Answers a streaming call; raises as `unary` does."""
        if method.stream is None:
            raise TypeError(f"{method.path} does not stream")
        with self._observed(method, call):
            async for response in method.stream(_parsed(method, messages), call):
                yield response.SerializeToString()

    @contextmanager
    def _observed(self, method: Method, call: Call) -> Iterator[None]:
        """Counts a call and makes of any error one that the caller may see."""
        started = time.perf_counter()
        code = Code.OK
        self._inflight.inc()
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            code = Code.CANCELLED
            raise
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, the caller gets a code
            failure = _failure(error, method, call)
            code = failure.code
            raise failure from None
        finally:
            self._inflight.dec()
            self._count(method, call, code, time.perf_counter() - started)

    def _count(self, method: Method, call: Call, code: Code, seconds: float) -> None:
        labels = method.api, method.name, call.model
        self._requests.labels(*labels, code.name).inc()
        self._seconds.labels(*labels).observe(seconds)


async def _parsed(method: Method, messages: AsyncIterator[bytes]) -> AsyncIterator[object]:
    async for data in messages:
        yield method.request.FromString(data)


def _failure(error: Exception, method: Method, call: Call) -> SaccadeError:
    """What the caller may know of an error; the log gets the rest."""
    if isinstance(error, SaccadeError):
        log.info(
            "%s request_id=%s peer=%s model=%s %s: %s",
            method.path, call.request_id, call.peer, call.model, error.code.name, error.message,
        )  # fmt: skip
        return error
    if isinstance(error, DecodeError):
        return InvalidArgument(f"the message is not a {method.request.DESCRIPTOR.full_name}")
    request_id = call.request_id or uuid.uuid4().hex
    log.error("%s request_id=%s failed", method.path, request_id, exc_info=error)
    return SaccadeError(f"internal error (request id {request_id})")
