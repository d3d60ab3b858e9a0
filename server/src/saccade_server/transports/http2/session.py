"""What the frames of one connection mean."""

from collections.abc import Callable

from saccade_server.transports.http2 import frames
from saccade_server.transports.http2.errors import ErrorCode, StreamViolation, Violation
from saccade_server.transports.http2.guard import Guard
from saccade_server.transports.http2.headers import HeaderReader
from saccade_server.transports.http2.options import DEFAULT_WINDOW_BYTES, Http2Options
from saccade_server.transports.http2.outbox import Outbox
from saccade_server.transports.http2.streams import Streams
from saccade_server.transports.http2.troubles import tell_trouble

_HARMLESS = 20
"""So many times as often as other small frames may those come that cost us next to nothing: window
updates, of which a large answer needs many, and resets of what is over."""

_PING_BYTES = 8
_PRIORITY_BYTES = 5
_NUMBER_BYTES = 4


class Session:
    """Handles frames, one after the other.

    Args:
        streams: Of the connection.
        outbox: Its sending half.
        headers: Reads its header blocks.
        guard: Counts what brings nothing.
        options: The limits.
        on_pong: Called with the content of an acknowledged ping.

    Attributes:
        settled: The peer's first SETTINGS have come.
    """

    def __init__(
        self,
        *,
        streams: Streams,
        outbox: Outbox,
        headers: HeaderReader,
        guard: Guard,
        options: Http2Options,
        on_pong: Callable[[bytes], None],
    ) -> None:
        self.settled = False
        self._streams = streams
        self._outbox = outbox
        self._headers = headers
        self._guard = guard
        self._harmless = Guard(options.small_frames_per_s * _HARMLESS)
        self._options = options
        self._on_pong = on_pong
        self._window = options.connection_window_bytes
        self._handlers = (
            self._on_data,
            self._on_headers,
            self._on_priority,
            self._on_rst_stream,
            self._on_settings,
            self._on_push_promise,
            self._on_ping,
            self._on_goaway,
            self._on_window_update,
            self._on_continuation,
        )

    @property
    def in_block(self) -> bool:
        """Whether a header block has begun and not ended."""
        return self._headers.pending

    def greet(self) -> None:
        """Sends our settings."""
        values = {
            frames.MAX_CONCURRENT_STREAMS: self._options.max_streams,
            frames.INITIAL_WINDOW_SIZE: self._options.stream_window_bytes,
            frames.MAX_HEADER_LIST_SIZE: self._options.max_header_bytes,
        }
        self._outbox.control(frames.settings(values))
        if self._window > DEFAULT_WINDOW_BYTES:
            self._outbox.control(frames.window_update(0, self._window - DEFAULT_WINDOW_BYTES))

    def tick(self) -> None:
        """A second has passed."""
        self._guard.tick()
        self._harmless.tick()
        self._streams.window.tick()

    def handle(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        """Handles a frame.

        Raises:
            Violation: The connection cannot go on.
        """
        if self._headers.pending and kind != frames.CONTINUATION:
            raise Violation(ErrorCode.PROTOCOL_ERROR, "a header block was not continued")
        if not self.settled and (kind != frames.SETTINGS or flags & frames.ACK):
            raise Violation(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        if kind > frames.CONTINUATION:
            self._guard.count("frame of an unknown type")
            return
        try:
            self._handlers[kind](flags, number, payload)
        except StreamViolation as violation:
            self._guard.count("violation of a stream")
            what = f"stream {number}: {violation.text}"
            tell_trouble(self._streams.peer, what, violation.code.name)
            self._streams.reset(number, violation.code)

    def _on_data(self, flags: int, number: int, payload: bytes) -> None:
        size = len(payload)
        ended = bool(flags & frames.END_STREAM)
        self._window -= size
        whole = self._options.connection_window_bytes
        if self._window <= whole >> 1:
            # Renewed before anything else is read, it cannot be overrun; what is held is bounded by
            # the windows of the streams.
            self._outbox.control(frames.window_update(0, whole - self._window))
            self._window = whole
        if not size and not ended:
            self._guard.count("empty data")
        if flags & frames.PADDED:
            payload = frames.content(payload, frames.PADDED)
        stream = self._streams.find(number)
        if stream is None:
            self._streams.data_of_closed(number)
        else:
            stream.receive(payload, size, ended=ended)

    def _on_headers(self, flags: int, number: int, payload: bytes) -> None:
        if flags & (frames.PADDED | frames.WITH_PRIORITY):
            payload = frames.content(payload, flags)
        if flags & frames.END_HEADERS:
            self._on_block(flags, number, payload)
        else:
            self._headers.begin(number, flags, payload)

    def _on_continuation(self, flags: int, number: int, payload: bytes) -> None:
        whole = self._headers.proceed(number, flags, payload)
        if whole is not None:
            self._on_block(whole[0], number, whole[1])

    def _on_block(self, flags: int, number: int, block: bytes) -> None:
        stream = self._streams.find(number)
        ended = bool(flags & frames.END_STREAM)
        if stream is not None:
            self._headers.trailers(block)
            if not ended:
                raise StreamViolation(ErrorCode.PROTOCOL_ERROR, "trailers that end nothing")
            stream.trailers()
        elif self._streams.abandoned(number):
            self._headers.trailers(block)
        else:
            self._streams.check_new(number)
            self._streams.open(number, self._headers.head(block), ended=ended)

    def _on_priority(self, flags: int, number: int, payload: bytes) -> None:
        """Nothing here has priority; HTTP/2 has given the scheme up."""
        self._guard.count("priority")
        if not number:
            raise Violation(ErrorCode.PROTOCOL_ERROR, "a priority of no stream")
        if len(payload) != _PRIORITY_BYTES:
            raise Violation(ErrorCode.FRAME_SIZE_ERROR, "a priority has five bytes")

    def _on_rst_stream(self, flags: int, number: int, payload: bytes) -> None:
        if len(payload) != _NUMBER_BYTES:
            raise Violation(ErrorCode.FRAME_SIZE_ERROR, "a reset has four bytes")
        stream = self._streams.find(number)
        if stream is None:
            # It has crossed our answer, as it often does when a deadline passes.
            self._harmless.count("reset")
            self._streams.check_known(number)
        else:
            self._guard.count("reset")
            stream.cancel()

    def _on_settings(self, flags: int, number: int, payload: bytes) -> None:
        self._guard.count("settings")
        if number:
            raise Violation(ErrorCode.PROTOCOL_ERROR, "settings of a stream")
        if flags & frames.ACK:
            if payload:
                raise Violation(ErrorCode.FRAME_SIZE_ERROR, "an acknowledgement with settings")
            self._streams.window.acknowledged()
            return
        values = frames.read_settings(payload)
        self.settled = True
        if frames.MAX_FRAME_SIZE in values:
            self._outbox.limit_frames(values[frames.MAX_FRAME_SIZE])
        if frames.INITIAL_WINDOW_SIZE in values:
            window = values[frames.INITIAL_WINDOW_SIZE]
            difference = window - self._outbox.initial_window
            self._outbox.initial_window = window
            self._streams.widen_all(difference)
        self._outbox.control(frames.frame(frames.SETTINGS, frames.ACK, 0))

    def _on_push_promise(self, flags: int, number: int, payload: bytes) -> None:
        raise Violation(ErrorCode.PROTOCOL_ERROR, "clients cannot push")

    def _on_ping(self, flags: int, number: int, payload: bytes) -> None:
        self._guard.count("ping")
        if number:
            raise Violation(ErrorCode.PROTOCOL_ERROR, "a ping of a stream")
        if len(payload) != _PING_BYTES:
            raise Violation(ErrorCode.FRAME_SIZE_ERROR, "a ping has eight bytes")
        if flags & frames.ACK:
            self._on_pong(payload)
        else:
            self._outbox.control(frames.frame(frames.PING, frames.ACK, 0, payload))

    def _on_goaway(self, flags: int, number: int, payload: bytes) -> None:
        """The peer opens no more streams; those that it has are answered."""
        self._guard.count("goaway")
        if number:
            raise Violation(ErrorCode.PROTOCOL_ERROR, "a goaway of a stream")
        if len(payload) < 2 * _NUMBER_BYTES:
            raise Violation(ErrorCode.FRAME_SIZE_ERROR, "a goaway has eight bytes or more")

    def _on_window_update(self, flags: int, number: int, payload: bytes) -> None:
        self._harmless.count("window update")
        if len(payload) != _NUMBER_BYTES:
            raise Violation(ErrorCode.FRAME_SIZE_ERROR, "a window update has four bytes")
        increment = int.from_bytes(payload, "big") & frames.MAX_WINDOW
        stream = self._streams.find(number)
        if not number:
            if not increment:
                raise Violation(ErrorCode.PROTOCOL_ERROR, "a window update of nothing")
            self._outbox.widen(increment)
        elif stream is None:
            self._streams.check_known(number)
        elif not increment:
            raise StreamViolation(ErrorCode.PROTOCOL_ERROR, "a window update of nothing")
        else:
            self._outbox.widen_lane(stream, increment)
