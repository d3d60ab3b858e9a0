"""The streams of one connection: which are open, which may open, how they close."""

import asyncio
import time
from collections.abc import Callable

from saccade_server.errors import Overloaded, SaccadeError, Unavailable
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method
from saccade_server.transports.http2 import frames, reply
from saccade_server.transports.http2.errors import ErrorCode, StreamViolation, Violation
from saccade_server.transports.http2.guard import Guard
from saccade_server.transports.http2.head import RequestHead
from saccade_server.transports.http2.intake import Budget
from saccade_server.transports.http2.lag import Lag
from saccade_server.transports.http2.options import Http2Options
from saccade_server.transports.http2.outbox import Outbox
from saccade_server.transports.http2.stream import Stream
from saccade_server.transports.http2.window import InitialWindow
from saccade_server.transports.limits import too_slow

_MAX_ABANDONED = 1000
"""Streams that we closed first, as many of the last ones: what still comes for them is no error."""


class Streams:
    """Opens, finds, and closes streams; what they share hangs here.

    Args:
        loop: Runs the handlers.
        answerer: What answers.
        outbox: Sends the answers.
        budget: For large requests.
        guard: Counts the frames of closed streams.
        options: The limits.
        max_message_bytes: Of a request's message.
        peer: The caller's address.
        on_idle: Called when the last stream has closed.
        lag: Of the loop.

    Attributes:
        last: The highest number that the peer has used.
        refusing: New streams are refused: the connection is about to end.
        window: What the peer may send of each unasked.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        answerer: Answerer,
        outbox: Outbox,
        budget: Budget,
        guard: Guard,
        options: Http2Options,
        max_message_bytes: int,
        peer: str,
        on_idle: Callable[[], None],
        lag: Lag,
    ) -> None:
        self.loop = loop
        self.answerer = answerer
        self.outbox = outbox
        self.budget = budget
        self.options = options
        self.max_message_bytes = max_message_bytes
        self.peer = peer
        self.last = 0
        self.refusing = False
        self.window = InitialWindow(
            options.stream_window_bytes, options.most_window_bytes, outbox.push, self._shift
        )
        self._guard = guard
        self._on_idle = on_idle
        self._lag = lag
        self._open: dict[int, Stream] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._abandoned: dict[int, None] = {}

    def __len__(self) -> int:
        """How many are open, handlers that are being cancelled included."""
        return len(self._open) + len(self._ending)

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """The handlers that have not ended."""
        return self._ending | {s.task for s in self._open.values() if s.task is not None}

    def find(self, number: int) -> Stream | None:
        """An open stream."""
        return self._open.get(number)

    def check_new(self, number: int) -> None:
        """Checks that a stream can open under that number, and takes note of it.

        Raises:
            Violation: It cannot.
        """
        if not number & 1:
            raise Violation(ErrorCode.PROTOCOL_ERROR, "a stream number that is not the client's")
        if number <= self.last:
            raise Violation(ErrorCode.STREAM_CLOSED, "headers for a stream that is closed")
        self.last = number

    def open(self, number: int, head: RequestHead, *, ended: bool) -> None:
        """Opens a stream, or refuses it."""
        if self.refusing:
            self._reset(number, ErrorCode.REFUSED_STREAM)
            self.outbox.check_replies()
        elif (
            len(self) >= self.options.max_streams
            or self.outbox.unsent > self.options.max_unsent_bytes
        ):
            self._guard.count("stream beyond the limit")
            self._reset(number, ErrorCode.REFUSED_STREAM)
        elif head.method is None:
            if head.refusal is not None:
                self.answer(number, reply.without_answer(head.refusal), ended=ended)
            else:
                self.answer(number, reply.not_grpc(head.http_status), ended=ended)
        elif refusal := self.answerer.turn_away(head.method, head.metadata, self.peer):
            self.answer(number, reply.without_answer(refusal), ended=ended)
        else:
            self._begin(number, head, head.method, ended=ended)

    def answer(self, number: int, block: bytes, *, ended: bool) -> None:
        """Answers a request with headers only, without having opened its stream."""
        flags = frames.END_HEADERS | frames.END_STREAM
        self.outbox.headers(number, block, flags)
        if not ended:
            self._reset(number, ErrorCode.NO_ERROR)

    def data_of_closed(self, number: int) -> None:
        """Handles data for a stream that is not open.

        Raises:
            Violation: It never was, or data for closed streams come too often.
        """
        self.check_known(number)
        if number not in self._abandoned:
            self._guard.count("data for a closed stream")
            self._reset(number, ErrorCode.STREAM_CLOSED)

    def check_known(self, number: int) -> None:
        """Checks that a stream was open at some time.

        Raises:
            Violation: It was not.
        """
        if number > self.last or not number & 1:
            raise Violation(ErrorCode.PROTOCOL_ERROR, "a frame for a stream that is not open")

    def abandoned(self, number: int) -> bool:
        """Whether we closed it, and not long ago."""
        return number in self._abandoned

    def widen(self, number: int, increment: int) -> None:
        """Lets the peer send more on a stream."""
        self.outbox.push(frames.window_update(number, increment))

    def reset(self, number: int, code: ErrorCode) -> None:
        """Ends a stream from our side."""
        stream = self._open.get(number)
        self._reset(number, code)
        if stream is not None:
            stream.cancel()

    def cancel(self, task: asyncio.Task[None]) -> None:
        """Cancels a handler, which counts as open until it has ended."""
        if not task.done():
            self._ending.add(task)
            task.add_done_callback(self._ended)
            task.cancel()

    def close(self, stream: Stream) -> None:
        """Called by a stream when it is over."""
        self.outbox.drop(stream)
        if self._open.pop(stream.number, None) is None:
            return
        if not stream.ended:
            # We need no more of the request than we have (RFC 9113, section 8.1).
            self._reset(stream.number, ErrorCode.NO_ERROR)
        if not self._open:
            self._check_idle()

    def widen_all(self, difference: int) -> None:
        """Handles a change of the initial window of the peer's streams.

        Raises:
            Violation: A window would be larger than can be.
        """
        for stream in list(self._open.values()):
            try:
                self.outbox.widen_lane(stream, difference)
            except StreamViolation as violation:
                raise Violation(violation.code, violation.text) from None

    def tick(self) -> None:
        """A second has passed: ends requests that take too long to come."""
        for stream in list(self._open.values()):
            stream.age_s = stream.age_s + 1 if stream.incomplete else 0
            if stream.age_s > self.options.receive_s:
                stream.abort(too_slow(self.options.receive_s))

    def reset_stalled(self) -> None:
        """Resets requests that have begun, not ended, and not moved since the last call."""
        for stream in list(self._open.values()):
            if stream.task is None and not stream.ended and not stream.heard:
                self.reset(stream.number, ErrorCode.CANCEL)
            stream.heard = False

    def cancel_all(self) -> None:
        """The connection is gone: so is every caller."""
        for stream in list(self._open.values()):
            stream.cancel()

    def end_all(self) -> None:
        """Ends what is left with UNAVAILABLE: the server stops."""
        for stream in list(self._open.values()):
            stream.abort(Unavailable("the server is shutting down"))

    def _begin(self, number: int, head: RequestHead, method: Method, *, ended: bool) -> None:
        """Opens a stream, unless the loop is behind and the answer could not be in time.

        To find that out later costs twice as much, which keeps a loop behind.
        """
        call = Call(metadata=head.metadata, peer=self.peer)
        come = None
        if head.timeout_s is not None:
            now = time.monotonic()
            # Less the answer's wait to be written. A request waits in the socket, for its handler
            # and for its scores, too, but to take all of that off refused what was in time.
            call.deadline = now + head.timeout_s - self._lag.now_s(now)
            if method.judge is not None and self._lag.behind(now):
                try:
                    come = self.answerer.preview(method, b"", call)
                except SaccadeError as error:
                    if isinstance(error, Overloaded):
                        self.window.narrow()
                    self.answer(number, reply.without_answer(error), ended=ended)
                    return
        stream = self._open[number] = Stream(self, number, head, method, call, come)
        if ended:
            stream.trailers()

    def _shift(self, difference: int) -> None:
        for stream in list(self._open.values()):
            stream.shift(difference)

    def _reset(self, number: int, code: ErrorCode) -> None:
        self.outbox.push(frames.rst_stream(number, code))
        self._abandoned[number] = None
        if len(self._abandoned) > _MAX_ABANDONED:
            del self._abandoned[next(iter(self._abandoned))]

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()
        self._check_idle()

    def _check_idle(self) -> None:
        if not self._open and not self._ending:
            self._on_idle()
