"""Header blocks: put together from their frames, decoded, read, and remembered."""

from collections.abc import Mapping

from saccade_server.errors import Overloaded
from saccade_server.services.call import Method
from saccade_server.transports.http2 import frames
from saccade_server.transports.http2.errors import ErrorCode, StreamViolation, Violation
from saccade_server.transports.http2.head import (
    MalformedRequest,
    RequestHead,
    read_head,
    read_trailers,
)
from saccade_server.transports.http2.hpack import Decoder, Field, HpackError
from saccade_server.transports.http2.options import Http2Options

_MAX_REMEMBERED = 64
_MAX_REMEMBERED_BYTES = 1024
"""Blocks, and bytes of one of them."""


class HeaderReader:
    """The header blocks of one connection, in their order.

    A caller's blocks are mostly equal, byte by byte, and mean the same as long as the dynamic
    table does not change: such a block is looked up, not decoded. A caller that sends a new
    timeout or id with each call misses, and only pays for the decoding.

    Args:
        methods: By path.
        options: The limits.

    Attributes:
        pending: A block has begun and must be continued by the next frame.
    """

    def __init__(self, methods: Mapping[str, Method], options: Http2Options) -> None:
        self.pending = False
        self._methods = methods
        self._options = options
        self._decoder = Decoder(options.max_header_bytes)
        self._remembered: dict[bytes, RequestHead] = {}
        self._block = b""
        self._stream = 0
        self._flags = 0
        self._frames = 0

    def begin(self, number: int, flags: int, block: bytes) -> None:
        """Takes the first part of a block that has more."""
        self.pending = True
        self._stream, self._flags, self._block, self._frames = number, flags, block, 0

    def proceed(self, number: int, flags: int, part: bytes) -> tuple[int, bytes] | None:
        """Takes the next part; the flags and the block, once it is whole.

        Raises:
            Violation: It does not belong there, or the block gets too large.
        """
        if not self.pending or number != self._stream:
            raise Violation(ErrorCode.PROTOCOL_ERROR, "a continuation of nothing")
        self._frames += 1
        self._block += part
        if (
            self._frames > self._options.max_continuations
            or len(self._block) > self._options.max_block_bytes
        ):
            raise Violation(ErrorCode.ENHANCE_YOUR_CALM, "a header block is too large")
        if not flags & frames.END_HEADERS:
            return None
        self.pending = False
        block, self._block = self._block, b""
        return self._flags, block

    def head(self, block: bytes) -> RequestHead:
        """The head of a request.

        Raises:
            Violation: The block is not HPACK.
            StreamViolation: It breaks the rules of HTTP/2.
        """
        head = self._remembered.get(block)
        if head is not None:
            return head
        before = self._decoder.changes
        try:
            fields = self._decode(block)
            if fields is None:
                limit = self._options.max_header_bytes
                return RequestHead(refusal=Overloaded(f"the headers have more than {limit} bytes"))
            head = read_head(fields, self._methods)
        except MalformedRequest as error:
            raise StreamViolation(ErrorCode.PROTOCOL_ERROR, str(error)) from None
        finally:
            if self._decoder.changes != before:
                self._remembered.clear()
        if self._decoder.changes == before and len(block) <= _MAX_REMEMBERED_BYTES:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[block] = head
        return head

    def trailers(self, block: bytes) -> None:
        """Reads headers that mean nothing to us: the table must stay right all the same.

        Raises:
            Violation: The block is not HPACK.
            StreamViolation: It breaks the rules of HTTP/2.
        """
        before = self._decoder.changes
        fields = self._decode(block)
        if self._decoder.changes != before:
            self._remembered.clear()
        try:
            read_trailers(fields or ())
        except MalformedRequest as error:
            raise StreamViolation(ErrorCode.PROTOCOL_ERROR, str(error)) from None

    def _decode(self, block: bytes) -> list[Field] | None:
        try:
            return self._decoder.decode(block)
        except HpackError as error:
            raise Violation(ErrorCode.COMPRESSION_ERROR, str(error)) from None
