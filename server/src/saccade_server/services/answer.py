"""What every call of every API has in common: parse, handle, count, and say what went wrong."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType

from google.protobuf.message import Message

from saccade_server.batching import Announced
from saccade_server.errors import Code, SaccadeError
from saccade_server.metrics import Counter, Histogram, Metrics
from saccade_server.services.call import Call, Method
from saccade_server.services.failures import failure, log_cancelled
from saccade_server.services.incoming import OpenStreams
from saccade_server.services.inflight import Inflight
from saccade_server.tracing import Tracer

Reader = Callable[[Call], Awaitable[Message]]
"""Makes the message of a call that came in another form."""


class Answerer:
    """Stands between a transport and the handlers: bytes in, bytes or a SaccadeError out.

    Args:
        metrics: Where requests are counted.
        inflight: Counts the unary ones and bounds them; those who answer streams count theirs.
        tracer: Makes spans of them; None: nobody does.

    Attributes:
        announced: For transports that are told of a call before they can hand its message on, and
            batchers that would wait for it.
    """

    def __init__(self, metrics: Metrics, inflight: Inflight, tracer: Tracer | None = None) -> None:
        self.announced = Announced()
        self._tracer = tracer
        self._inflight = inflight
        self._requests = metrics.requests
        self._seconds = metrics.request_seconds
        self._streams = OpenStreams()

    @property
    def few(self) -> bool:
        """Whether answers need not wait for others; see `Inflight.few`."""
        return self._inflight.few

    def awake(self) -> bool:
        """Whether the loop does not sleep now; see `Inflight.awake`."""
        return self._inflight.awake

    def drain(self) -> None:
        """From now on streams end when what was read of them is answered."""
        self._streams.drain()

    def turn_away(
        self, method: Method, metadata: Mapping[str, str], peer: str
    ) -> SaccadeError | None:
        """What to answer a unary call with before its message is read, or None.

        For transports that can: a server that has no room then spends nothing on messages.
        """
        if method.probe or method.unary is None:
            return None
        try:
            self._inflight.check()
        except SaccadeError as error:
            self._requests.labels(method.api, method.name, "", error.code.name).inc()
            return failure(error, method.path, Call(metadata=metadata, peer=peer), 0.0)
        return None

    async def unary(self, method: Method, data: bytes, call: Call) -> bytes:
        """Answers a unary call.

        Raises:
            SaccadeError: With the code and the text for the caller.
            asyncio.CancelledError: The caller has gone.
        """
        if method.unary is None:
            raise TypeError(f"{method.path} streams")
        with self._observed(method, call) as observed:
            if method.admit is not None:
                method.admit(call)
            observed.enter()
            call.alone = self._inflight.alone and not self.announced.any()
            return (await method.unary(method.parse(data), call)).SerializeToString()

    def preview(self, method: Method, beginning: bytes, call: Call) -> Callable[[], object] | None:
        """Refuses a call by the first bytes of its message, or lets the rest of it come.

        Returns:
            What to call when that has come or never will, or None.

        Raises:
            SaccadeError: As `unary`; the call is counted.
        """
        try:
            if method.admit is not None:
                method.admit(call)
            return None if method.judge is None else method.judge(beginning, call)
        except Exception:
            with self._observed(method, call):
                raise

    async def message(self, method: Method, read: Reader, call: Call) -> Message:
        """Answers a unary call whose message is not bytes.

        Args:
            method: What is called.
            read: Makes the message; not called for a caller who may not call.
            call: Of the request.

        Raises:
            SaccadeError: As `unary`, and what `read` raises.
        """
        if method.unary is None:
            raise TypeError(f"{method.path} streams")
        with self._observed(method, call) as observed:
            if method.admit is not None:
                method.admit(call)
            observed.check_room()
            # A request takes no room while it comes: a caller may let that take for ever.
            request = await read(call)
            observed.enter()
            return await method.unary(request, call)

    def stream(
        self, method: Method, messages: AsyncIterator[bytes], call: Call
    ) -> AsyncIterator[bytes]:
        """The answers to a streaming call; they fail as `unary` does."""
        return self._streams.answer(method, messages, call, self._observed)

    def _observed(self, method: Method, call: Call) -> "_Observed":
        if self._tracer is not None:
            call.trace = self._tracer.begin(method.path, call.metadata, call.peer)
        return _Observed(method, call, self._inflight, self._requests, self._seconds)


class _Observed:
    """Counts a call and makes of any error one that the caller may see.

    A class, and not a generator with `contextmanager`: that costs three times as much.
    """

    __slots__ = ("_admitted", "_call", "_inflight", "_method", "_requests", "_seconds", "_started")

    def __init__(
        self, method: Method, call: Call, inflight: Inflight, requests: Counter, seconds: Histogram
    ) -> None:
        self._admitted = False
        self._method = method
        self._call = call
        self._inflight = inflight
        self._requests = requests
        self._seconds = seconds
        self._started = time.perf_counter()

    def __enter__(self) -> "_Observed":
        return self

    def check_room(self) -> None:
        """Refuses a call that there is no room for.

        Raises:
            Overloaded: Too many are under way.
        """
        if not self._method.probe:
            self._inflight.check()

    def enter(self) -> None:
        """Counts the call among those under way; raises as `check_room` does."""
        if not self._method.probe:
            self._inflight.enter()
            self._admitted = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._started
        method, call = self._method, self._call
        if self._admitted:
            self._inflight.leave(seconds)
        if error is None:
            self._count(Code.OK, seconds)
        elif isinstance(error, Exception):
            failed = failure(error, method.path, call, seconds)
            self._count(failed.code, seconds)
            if failed is not error:
                raise failed from None
            # Raised again from here it would hold this frame, and this frame it: garbage that
            # keeps a refused request's bytes until the collector comes by.
        else:
            log_cancelled(method.path, call, seconds, streams=method.unary is None)
            self._count(Code.CANCELLED, seconds)

    def _count(self, code: Code, seconds: float) -> None:
        call = self._call
        labels = self._method.api, self._method.name, call.model
        self._requests.labels(*labels, code.name).inc()
        self._seconds.labels(*labels).observe(seconds)
        if call.trace is not None:
            call.trace.end(call.model, call.request_id)
