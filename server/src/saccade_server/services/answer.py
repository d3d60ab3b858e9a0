"""What every call of every API has in common: parse, handle, count, and say what went wrong."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

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
            return (await method.unary(_parse(method, data), call)).SerializeToString()

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
            failed = failure(error, method.path, call)
            code = failed.code
            raise failed from None
        finally:
            self._inflight.dec()
            self._count(method, call, code, time.perf_counter() - started)

    def _count(self, method: Method, call: Call, code: Code, seconds: float) -> None:
        labels = method.api, method.name, call.model
        self._requests.labels(*labels, code.name).inc()
        self._seconds.labels(*labels).observe(seconds)


def failure(error: Exception, path: str, call: Call) -> SaccadeError:
    """What the caller may know of an error of the method `path`; the log gets the rest."""
    if isinstance(error, SaccadeError):
        log.info(
            "%s request_id=%s peer=%s model=%s %s: %s",
            path, call.request_id, call.peer, call.model, error.code.name, error.message,
        )  # fmt: skip
        return error
    request_id = call.request_id or uuid.uuid4().hex
    log.error("%s request_id=%s failed", path, request_id, exc_info=error)
    return SaccadeError(f"internal error (request id {request_id})")


def _parse(method: Method, data: bytes) -> Any:
    try:
        return method.request.FromString(data)
    except DecodeError:
        name = method.request.DESCRIPTOR.full_name
        raise InvalidArgument(f"the message is not a {name}") from None


async def _parsed(method: Method, messages: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for data in messages:
        yield _parse(method, data)
