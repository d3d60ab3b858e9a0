"""What a connection sends: in order, within the peer's windows, joined into few writes."""

import asyncio
import time
from collections import deque

from saccade_server.transports.http2 import frames, reply
from saccade_server.transports.http2.errors import ErrorCode, StreamViolation, Violation
from saccade_server.transports.http2.hpack import NO_TABLE
from saccade_server.transports.http2.lag import Lag
from saccade_server.transports.http2.lane import Lane
from saccade_server.transports.http2.options import DEFAULT_WINDOW_BYTES, Http2Options

_TURN_BYTES = 256 << 10
"""Of queued messages in one turn of the event loop: a handler that never waits is held up."""

_MAX_FRAME_BYTES = 64 << 10
"""Even for peers that take larger frames: streams share a connection frame by frame."""

_PREFIX = (len(reply.HEADERS)).to_bytes(3, "big") + bytes((frames.HEADERS, frames.END_HEADERS))
_SUFFIX = (
    len(reply.TRAILERS).to_bytes(3, "big")
    + bytes((frames.HEADERS, frames.END_HEADERS | frames.END_STREAM))
)  # fmt: skip
_DATA = bytes((frames.DATA, 0))


class Outbox:
    """Owns the sending half of a connection.

    Args:
        transport: Gets the bytes.
        loop: Of the transport.
        options: The limits.
        lag: Learns how long frames wait here.

    Attributes:
        initial_window: Of the peer's streams.
        paused: Set by the connection while the transport's buffer is full.
        unsent: Bytes of messages in all lanes.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        options: Http2Options,
        lag: Lag,
    ) -> None:
        self.initial_window = DEFAULT_WINDOW_BYTES
        self.paused = False
        self.unsent = 0
        self._moved = 0
        self._complete = 0
        self._seen = (0, 0)
        self._transport = transport
        self._loop = loop
        self._low_water = options.low_water_bytes
        self._max_replies = options.max_buffered_replies_bytes
        self._replies = 0
        self._window = DEFAULT_WINDOW_BYTES
        self._max_frame = frames.FRAME_BYTES
        self._chunks: list[bytes | memoryview] = []
        self._lag = lag
        self._scheduled = False
        self._since = 0.0
        self._turn = 0
        self._fresh = True
        self._queue: deque[Lane] = deque()

    def control(self, data: bytes) -> None:
        """Sends frames that no window holds back, because the peer asked for them.

        Raises:
            Violation: The peer asks and does not read.
        """
        self.push(data)
        self.check_replies()

    def push(self, data: bytes) -> None:
        """Sends frames that no window holds back."""
        if self.paused:
            self._replies += len(data)
        self._append(data)

    def check_replies(self) -> None:
        """Checks that the peer reads what it makes us send.

        Raises:
            Violation: It does not.
        """
        if self._replies > self._max_replies:
            raise Violation(ErrorCode.ENHANCE_YOUR_CALM, "replies are asked for, not read")

    def headers(self, number: int, block: bytes, flags: int) -> None:
        """Sends a header block of a stream. Ours are far smaller than a frame."""
        if self._fresh:
            self._fresh = False
            block = NO_TABLE + block
        self._append(frames.frame(frames.HEADERS, flags, number, block))

    def reply(self, lane: Lane, message: bytes, *, at_once: bool = False) -> bool:
        """Sends a whole answer: headers, one message, trailers; True when nothing holds it back.

        Args:
            lane: Of the stream.
            message: The answer.
            at_once: It need not wait for what else this turn of the loop sends.
        """
        size = len(message) + 5
        if (
            size > lane.window
            or size > self._window
            or size > self._max_frame
            or self.paused
            or self._fresh
        ):
            self.send(lane, message)
            return self.end(lane, reply.TRAILERS)
        self._window -= size
        number = lane.number.to_bytes(4, "big")
        data = b"".join(
            (
                _PREFIX, number, reply.HEADERS,
                size.to_bytes(3, "big"), _DATA, number,
                b"\0", (size - 5).to_bytes(4, "big"), message,
                _SUFFIX, number, reply.TRAILERS,
            )
        )  # fmt: skip
        if at_once and not self._chunks:
            if not self._transport.is_closing():
                self._transport.write(data)
        else:
            self._append(data)
        return True

    def send(self, lane: Lane, message: bytes) -> None:
        """Queues a message, behind headers if it is the first."""
        if not lane.started:
            lane.started = True
            self.headers(lane.number, reply.HEADERS, frames.END_HEADERS)
        if lane.parts is None:
            lane.parts = deque()
        lane.parts.append(memoryview(b"\0" + len(message).to_bytes(4, "big") + message))
        lane.size += len(message) + 5
        self.unsent += len(message) + 5
        self._enqueue(lane)
        self.pump()

    def end(self, lane: Lane, block: bytes) -> bool:
        """Ends a stream with a header block, behind its messages; True when done at once."""
        if lane.size:
            lane.tail = block
            self._complete += 1
            return False
        self.headers(lane.number, block, frames.END_HEADERS | frames.END_STREAM)
        return True

    async def room(self, lane: Lane) -> None:
        """Waits until so much of a lane is sent that another message is welcome."""
        if lane.size > self._low_water:
            lane.room = self._loop.create_future()
            await lane.room

    def drop(self, lane: Lane) -> None:
        """Forgets what a lane has not sent; its stream is over."""
        if lane.size:
            self.unsent -= lane.size
            lane.size = 0
            lane.parts = None
            if lane.tail is not None:
                self._complete -= 1

    def widen(self, increment: int) -> None:
        """Handles a WINDOW_UPDATE of the connection.

        Raises:
            Violation: The window would be larger than can be.
        """
        self._window += increment
        if self._window > frames.MAX_WINDOW:
            raise Violation(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window overflows")
        self.pump()

    def widen_lane(self, lane: Lane, increment: int) -> None:
        """Handles a change of a stream's window.

        Raises:
            StreamViolation: The window would be larger than can be.
        """
        lane.window += increment
        if lane.window > frames.MAX_WINDOW:
            raise StreamViolation(ErrorCode.FLOW_CONTROL_ERROR, "the stream's window overflows")
        if lane.size:
            self._enqueue(lane)
            self.pump()

    def limit_frames(self, size: int) -> None:
        """Handles SETTINGS_MAX_FRAME_SIZE."""
        self._max_frame = min(size, _MAX_FRAME_BYTES)

    def resume(self) -> None:
        """The transport's buffer has room again."""
        self.paused = False
        self._replies = 0
        self._moved += 1
        self.pump()

    def flush(self) -> None:
        """Hands to the transport what has been sent since the last time."""
        if self._scheduled:
            self._lag.learn(self._since, time.monotonic())
            self._scheduled = False
        self._turn = 0
        chunks, self._chunks = self._chunks, []
        if chunks and not self._transport.is_closing():
            self._transport.write(chunks[0] if len(chunks) == 1 else b"".join(chunks))
        if self._queue:
            self.pump()

    def stuck(self) -> bool:
        """Whether, since the last call, the peer took nothing although something waits for it.

        The messages of a stream that is not complete may wait: some callers read slowly.
        """
        seen, self._seen = self._seen, (self._moved, self._transport.get_write_buffer_size())
        return bool(self.paused or self._complete) and seen == self._seen

    def pump(self) -> None:
        """Sends of each lane in turn what windows and buffer take."""
        while self._queue and self._window > 0 and not self.paused and self._turn < _TURN_BYTES:
            lane = self._queue.popleft()
            lane.queued = False
            self._send_frame(lane)

    def _send_frame(self, lane: Lane) -> None:
        """Sends a frame of a lane, and its trailers if that was the last."""
        size = min(lane.size, lane.window, self._window, self._max_frame)
        if size <= 0:
            # Dropped, or waiting for the peer to widen the stream's window.
            return
        self._append(frames.frame_head(size, frames.DATA, 0, lane.number))
        self._take(lane, size)
        if lane.size:
            self._enqueue(lane)
        elif lane.tail is not None:
            self._complete -= 1
            self.headers(lane.number, lane.tail, frames.END_HEADERS | frames.END_STREAM)
            lane.on_sent()
        if lane.room and lane.size <= self._low_water:
            if not lane.room.done():
                lane.room.set_result(None)
            lane.room = None

    def _take(self, lane: Lane, size: int) -> None:
        lane.window -= size
        lane.size -= size
        self._window -= size
        self.unsent -= size
        self._moved += 1
        self._turn += size
        while size and lane.parts:
            part = lane.parts[0]
            self._append(part[:size])
            if size < len(part):
                lane.parts[0] = part[size:]
                return
            size -= len(part)
            lane.parts.popleft()

    def _enqueue(self, lane: Lane) -> None:
        if not lane.queued:
            lane.queued = True
            self._queue.append(lane)

    def _append(self, data: bytes | memoryview) -> None:
        self._chunks.append(data)
        if not self._scheduled:
            self._schedule()

    def _schedule(self) -> None:
        # Whatever else this turn of the loop sends goes out in the same write.
        if not self._scheduled:
            self._scheduled = True
            self._since = time.monotonic()
            self._loop.call_soon(self.flush)
