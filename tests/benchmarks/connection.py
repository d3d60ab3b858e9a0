"""One HTTP/2 connection of the open-loop generator: a socket that never blocks."""

import contextlib
import re
import socket
from dataclasses import dataclass

import hpack

from . import frames
from .frames import Frame

UNKNOWN = 2
CANCELLED = 1
UNAVAILABLE = 14
CHUNK_BYTES = 1 << 18

_STATUS = re.compile(rb"\x0bgrpc-status(?:\x01(\d)|\x02(\d\d))")
"""As it stands in a block of headers that is not compressed: lengths go before (RFC 7541, 5.2)."""


@dataclass(slots=True)
class _Unsent:
    """A request whose body has not left whole, and the window that the peer gave its stream."""

    offset: int
    window: int


class Connection:
    """Sends copies of one request and tells how each ended.

    It keeps the peer's flow control windows. Its own are as wide as they can be, so that it never
    has to renew them, and it allows the peer no header table, so that each block of headers stands
    for itself.

    Args:
        address: HOST:PORT.
        headers: Of every request.
        body: Of every request.
    """

    def __init__(self, address: str, headers: list[tuple[str, str]], body: bytes) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        block = frames.encode_headers(headers)
        self._head = frames.frame_start(frames.HEADERS, frames.END_HEADERS, len(block))
        self._block = block
        self._body = body
        self._whole = frames.frame_start(frames.DATA, frames.END_STREAM, len(body))
        self._numbers: dict[int, int] = {}
        self._unsent: dict[int, _Unsent] = {}
        self._next_stream = 1
        self._window = self._initial_window = frames.DEFAULT_WINDOW
        self._in = b""
        self._out = bytearray(frames.PREFACE)
        self._out += frames.encode_settings(
            {
                frames.SETTINGS_HEADER_TABLE_SIZE: 0,
                frames.SETTINGS_ENABLE_PUSH: 0,
                frames.SETTINGS_INITIAL_WINDOW_SIZE: frames.MAX_WINDOW,
            }
        )
        more = frames.MAX_WINDOW - frames.DEFAULT_WINDOW
        self._out += frames.encode_frame(frames.WINDOW_UPDATE, 0, 0, more.to_bytes(4, "big"))
        self._decoder = hpack.Decoder()
        self._decoder.header_table_size = 0
        self._decoder.max_allowed_table_size = 0

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes wait for room in the socket."""
        return bool(self._out)

    def start(self, number: int) -> int:
        """Sends a request, as far as the windows allow; returns its stream.

        Args:
            number: The caller's own name of the request.
        """
        stream = self._next_stream
        self._next_stream += 2
        self._numbers[stream] = number
        named = stream.to_bytes(4, "big")
        self._out += self._head + named + self._block
        size = len(self._body)
        if size <= min(frames.MAX_FRAME_BYTES, self._window, self._initial_window):
            self._out += self._whole + named + self._body
            self._window -= size
        else:
            self._unsent[stream] = _Unsent(0, self._initial_window)
            self._fill()
        self.write()
        return stream

    def cancel(self, stream: int) -> bool:
        """Ends a request whose deadline has passed; False if it has ended already."""
        if self._numbers.pop(stream, None) is None:
            return False
        self._unsent.pop(stream, None)
        self._out += frames.encode_frame(
            frames.RST_STREAM, 0, stream, frames.CANCEL.to_bytes(4, "big")
        )
        self.write()
        return True

    def write(self) -> None:
        """Sends what waits, as far as the socket takes it."""
        with contextlib.suppress(BlockingIOError):
            sent = self._socket.send(self._out)
            del self._out[:sent]

    def read(self) -> list[tuple[int, int]]:
        """Takes what has arrived.

        Returns:
            Number and gRPC status of each request that ended. All that are open end as
            UNAVAILABLE when the peer hangs up.

        Raises:
            ConnectionError: The peer speaks HTTP/2 in a way that this does not understand.
        """
        try:
            data = self._socket.recv(CHUNK_BYTES)
        except BlockingIOError:
            return []
        if not data:
            ended = [(number, UNAVAILABLE) for number in self._numbers.values()]
            self._numbers.clear()
            return ended
        received, self._in = frames.split_frames(self._in + data)
        results = [end for frame in received if (end := self._take(frame))]
        if self._unsent:
            self._fill()
        if self._out:
            self.write()
        return results

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()

    def _take(self, frame: Frame) -> tuple[int, int] | None:
        """Handles a frame; the number and status of the request that it ends, if any."""
        kind, last = frame.kind, frame.flags & frames.END_STREAM
        if kind == frames.HEADERS:
            if frame.flags & (frames.PADDED | frames.PRIORITY):
                raise ConnectionError("padded or prioritised headers are not understood")
            return self._end(frame.stream, self._status(frame.payload)) if last else None
        if kind == frames.DATA:
            return self._end(frame.stream, UNKNOWN) if last else None
        if kind == frames.RST_STREAM:
            return self._end(frame.stream, CANCELLED)
        if kind == frames.WINDOW_UPDATE:
            self._widen(frame.stream, int.from_bytes(frame.payload, "big"))
        elif kind == frames.SETTINGS and not frame.flags & frames.ACK:
            self._set(frames.decode_settings(frame.payload))
        elif kind == frames.PING and not frame.flags & frames.ACK:
            self._out += frames.encode_frame(frames.PING, frames.ACK, 0, frame.payload)
        elif kind in (frames.GOAWAY, frames.CONTINUATION):
            raise ConnectionError(f"frame {kind} is not expected here: {frame.payload!r}")
        return None

    def _end(self, stream: int, status: int) -> tuple[int, int] | None:
        number = self._numbers.pop(stream, None)
        self._unsent.pop(stream, None)
        return None if number is None else (number, status)

    def _status(self, block: bytes) -> int:
        # To decode a refusal, each with a text of its own, took a quarter of the generator's time.
        if found := _STATUS.search(block):
            return int(found[1] or found[2])
        return int(dict(self._decoder.decode(block, raw=True)).get(b"grpc-status", UNKNOWN))

    def _widen(self, stream: int, by: int) -> None:
        if stream == 0:
            self._window += by
        elif stream in self._unsent:
            self._unsent[stream].window += by

    def _set(self, settings: dict[int, int]) -> None:
        window = settings.get(frames.SETTINGS_INITIAL_WINDOW_SIZE, self._initial_window)
        for unsent in self._unsent.values():
            unsent.window += window - self._initial_window
        self._initial_window = window
        self._out += frames.encode_frame(frames.SETTINGS, frames.ACK, 0)

    def _fill(self) -> None:
        """Moves bodies to the socket's queue, oldest first, as far as the windows allow."""
        for stream, unsent in list(self._unsent.items()):
            while (left := len(self._body) - unsent.offset) > 0:
                size = min(left, frames.MAX_FRAME_BYTES, self._window, unsent.window)
                if size <= 0:
                    break
                part = self._body[unsent.offset : unsent.offset + size]
                flags = frames.END_STREAM if size == left else 0
                self._out += frames.encode_frame(frames.DATA, flags, stream, part)
                unsent.offset += size
                unsent.window -= size
                self._window -= size
            else:
                del self._unsent[stream]
            if self._window <= 0:
                break
