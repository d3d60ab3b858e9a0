"""One call, from the first frame of its request to the status of its answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING

from saccade_server.errors import DeadlineExceeded, Overloaded, SaccadeError, Unimplemented
from saccade_server.services.call import Call, Method
from saccade_server.services.compression import decompress
from saccade_server.transports.handling import answer_one, answer_stream
from saccade_server.transports.http2 import reply
from saccade_server.transports.http2.errors import ErrorCode, StreamViolation
from saccade_server.transports.http2.head import RequestHead
from saccade_server.transports.http2.intake import PREFIX_BYTES, Intake, Message
from saccade_server.transports.http2.lane import Lane

if TYPE_CHECKING:
    from saccade_server.transports.http2.streams import Streams

_CUT_OFF = "the request ends within a message"


class Stream(Lane):
    """An open stream and the task that answers it.

    It is its own lane, and lets go of its task when it is over: with two objects that know each
    other, each request would leave garbage that only the collector finds.

    Args:
        owner: The connection's streams; told when this one closes.
        number: Of the stream.
        head: What the request's headers said.
        method: What they call.
        call: Of the handler; its deadline is that by which the handler must be done.
        come: To be called when the handler takes over, or never will.

    Attributes:
        ended: Whether the request has ended.
        closed: Whether the stream is over; its task may still be on its way out.
        task: Of the handler, once it runs.
        heard: Set when something came; the owner clears it to find requests that stall.
        age_s: Seconds that a message has been on its way, for the owner to count.
    """

    __slots__ = ("_arrived", "_call", "_come", "_head", "_intake", "_method", "_only", "_owner",
                 "_received", "_starting", "_timer", "age_s", "closed", "ended", "heard",
                 "task")  # fmt: skip

    def __init__(
        self,
        owner: "Streams",
        number: int,
        head: RequestHead,
        method: Method,
        call: Call,
        come: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(number, owner.outbox.initial_window)
        self.ended = self.closed = False
        self.heard = True
        self.age_s = 0
        self.task: asyncio.Task[None] | None = None
        self._owner = owner
        self._head = head
        self._method = method
        self._intake: Intake | None = None
        self._received = 0
        self._arrived: asyncio.Future[None] | None = None
        self._only: Message | None = None
        self._call = call
        self._come = come
        self._starting = False
        self._timer: asyncio.TimerHandle | None = None
        if head.timeout_s is not None:
            self._timer = owner.loop.call_later(head.timeout_s, self._expire)
        if method.streams_requests:
            self._start_stream()

    def receive(self, data: bytes, size: int, *, ended: bool) -> None:
        """Takes the content of a DATA frame.

        Args:
            data: Without padding.
            size: With padding.
            ended: Whether the request ends with it.

        Raises:
            StreamViolation: The peer broke a rule of HTTP/2.
        """
        if self.ended:
            raise StreamViolation(ErrorCode.STREAM_CLOSED, "data behind the end")
        self.heard = True
        self._received += len(data)
        if ended and self._intake is None and not self._method.streams_requests:
            # A whole message in one frame: nearly every request.
            limit = self._owner.max_message_bytes
            length = len(data) - PREFIX_BYTES
            if 0 <= length <= limit and int.from_bytes(data[:PREFIX_BYTES], "big") == length:
                if size > self._owner.window.size:
                    raise StreamViolation(ErrorCode.FLOW_CONTROL_ERROR, "more than the window")
                self._end()
                self._start((False, data[PREFIX_BYTES:]))
                return
        try:
            self._feed(data, size)
            if ended:
                self.end()
        except SaccadeError as error:
            self.fail(error)

    def end(self) -> None:
        """The request has ended.

        Raises:
            StreamViolation: It was not as long as its head said.
            SaccadeError: It is no proper request.
        """
        self._end()
        if self._method.streams_requests:
            self._wake()
        elif self._intake is None or self._intake.empty:
            raise Unimplemented("this method takes one message, none was sent")
        elif not self._intake.ready():
            raise SaccadeError(_CUT_OFF)
        else:
            self._start(self._take(self._intake))

    def trailers(self) -> None:
        """The request has ended with headers."""
        if self.ended:
            raise StreamViolation(ErrorCode.STREAM_CLOSED, "headers behind the end")
        try:
            self.end()
        except SaccadeError as error:
            self.fail(error)

    def on_sent(self) -> None:
        """See `Lane`."""
        self._close()

    def fail(self, error: SaccadeError) -> None:
        """Ends the call with an error, and its handler if it still runs."""
        if self.over:
            return
        block = reply.error_trailers(error) if self.started else reply.without_answer(error)
        sent = self._owner.outbox.end(self, block)
        if self.task is not None:
            self._owner.cancel(self.task)
        if sent:
            self._close()

    def shift(self, difference: int) -> None:
        """The peer may send so much more of the request, or less, than it could."""
        if self._intake is not None and not self.ended:
            self._intake.shift(difference)

    def abort(self, error: SaccadeError) -> None:
        """Like `fail`, but what is not sent yet will never be."""
        if self.size:
            self._owner.reset(self.number, ErrorCode.CANCEL)
        else:
            self.fail(error)

    def cancel(self) -> None:
        """The peer, or the connection, gave the stream up."""
        if self.closed:
            return
        self.ended = True
        if self.task is not None:
            self._owner.cancel(self.task)
        self._close()

    @property
    def incomplete(self) -> bool:
        """Whether we wait for the rest of a request, or of a message of a stream."""
        if self.ended or self.task is None:
            return not self.ended
        return self._intake is not None and self._intake.partial

    @property
    def over(self) -> bool:
        """Whether the call's status is decided, so that its handler can do no more."""
        return self.closed or self.tail is not None

    def reply(self, answer: bytes) -> None:
        """For the handler: the only answer, and the end."""
        self._release()
        owner = self._owner
        if not self.over and owner.outbox.reply(self, answer, at_once=owner.answerer.few):
            self._close()

    async def send(self, answer: bytes) -> None:
        """For the handler: one answer of several; waits until another one is welcome."""
        outbox = self._owner.outbox
        outbox.send(self, answer)
        await outbox.room(self)

    def finish(self) -> None:
        """For the handler: all answers are sent."""
        self._release()
        block = reply.TRAILERS if self.started else reply.HEADERS + reply.TRAILERS
        if not self.over and self._owner.outbox.end(self, block):
            self._close()

    def refuse(self, error: SaccadeError) -> None:
        """For the handler: it has ended with an error."""
        self.task = None
        self._release()
        self.fail(error)

    def begin(self) -> None:
        """For the handler: it has begun, or never will."""
        if self._starting:
            self._starting = False
            self._owner.answerer.announced.starting -= 1

    def take_over(self) -> None:
        """For the handler: it judges the request from here on."""
        if self._come is not None:
            self._come()
            self._come = None

    async def plain(self, message: Message) -> bytes:
        """A message, decompressed.

        Raises:
            SaccadeError: It cannot be, or is too large then.
        """
        compressed, data = message
        if not compressed:
            return data
        if self._head.encoding == "identity":
            raise SaccadeError("a message is compressed, but the call has no grpc-encoding")
        return await decompress(data, self._head.encoding, self._owner.max_message_bytes)

    async def next_message(self) -> bytes | None:
        """For the handler: what comes next of the request, as it comes; None behind the end.

        Raises:
            SaccadeError: What comes is no message.
        """
        if not self._method.streams_requests:
            message, self._only = self._only, None
            return None if message is None else await self.plain(message)
        while True:
            if self._intake is not None:
                self._intake.consume()
                if self._intake.ready():
                    return await self.plain(self._take(self._intake))
            if self.ended:
                if self._intake is not None and not self._intake.empty:
                    raise SaccadeError(_CUT_OFF)
                return None
            self._arrived = self._owner.loop.create_future()
            await self._arrived

    def _feed(self, data: bytes, size: int) -> None:
        if self._intake is None:
            owner = self._owner
            self._intake = Intake(
                owner.window.wide,
                owner.window.size,
                owner.max_message_bytes,
                owner.budget,
                self._widen,
                self._preview,
            )
        if not self._intake.accept(size):
            raise StreamViolation(ErrorCode.FLOW_CONTROL_ERROR, "more than the window")
        self._intake.feed(data)
        if self._intake.ready():
            if self._method.streams_requests:
                self._wake()
            elif not self._intake.alone:
                raise Unimplemented("this method takes one message, more were sent")

    def _take(self, intake: Intake) -> Message:
        message = intake.take()
        self._owner.window.fit(PREFIX_BYTES + len(message[1]))
        return message

    def _preview(self, beginning: bytes) -> None:
        """Refuses a request, of which the rest need not come then.

        Raises:
            SaccadeError: Why.
        """
        try:
            self.take_over()
            self._come = self._owner.answerer.preview(self._method, beginning, self._call)
        except Overloaded:
            self._owner.window.narrow()
            raise

    def _widen(self, increment: int) -> None:
        if not self.ended:
            self._owner.widen(self.number, increment)

    def _end(self) -> None:
        self.ended = True
        if self._head.content_length is not None and self._head.content_length != self._received:
            raise StreamViolation(ErrorCode.PROTOCOL_ERROR, "content-length is not the length")

    def _start(self, message: Message) -> None:
        if self._method.unary is None:
            self._only = message
            self._start_stream()
        else:
            owner = self._owner
            self._starting = True
            owner.answerer.announced.starting += 1
            compressed, data = message
            unpack = partial(self.plain, message) if compressed else None
            run = answer_one(self, owner.answerer, self._method, self._call, data, unpack)
            self.task = owner.loop.create_task(run)

    def _start_stream(self) -> None:
        owner = self._owner
        run = answer_stream(self, owner.answerer, self._method, self._call, _Messages(self))
        self.task = owner.loop.create_task(run)

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    def _expire(self) -> None:
        self._timer = None
        self.abort(DeadlineExceeded("the deadline passed"))

    def _close(self) -> None:
        """Leaves nothing behind but the task, which may still be on its way out."""
        self.closed = True
        self.task = None
        if self._timer is not None:
            self._timer.cancel()
        self._release()
        self._intake = None
        self.begin()
        self.take_over()
        self._owner.close(self)

    def _release(self) -> None:
        """Nobody needs the request any more."""
        if self._intake is not None:
            self._intake.close()


class _Messages(AsyncIterator[bytes]):
    """The messages of a call, for its handler."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def __anext__(self) -> bytes:
        message = await self._stream.next_message()
        if message is None:
            raise StopAsyncIteration
        return message
