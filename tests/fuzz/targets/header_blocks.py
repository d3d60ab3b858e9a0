"""The header blocks of a connection, one after the other, against another implementation."""

from contextlib import AbstractContextManager, nullcontext

import hpack

from saccade_server.transports.http2.hpack import ENTRY_BYTES, Decoder, HpackError

from ..catalogue import Check
from ..records import cut, join

LIST_BYTES = 16 << 10
_NO_LIMIT = 1 << 30


def seeds() -> list[bytes]:
    """Requests that put their headers into the table and refer to them, and a smaller table."""
    usual = [(":method", "POST"), (":scheme", "http"), (":path", "/a.B/C"), (":authority", "x")]
    encoder = hpack.Encoder()
    plain = [bytes(encoder.encode([*usual, ("user-agent", name)], huffman=False)) for name in "aab"]
    encoder = hpack.Encoder()
    blocks = [bytes(encoder.encode([*usual, ("te", name * 300)])) for name in ("x", "x", "y")]
    encoder.header_table_size = 100
    blocks.append(bytes(encoder.encode([*usual, ("authorization", "Bearer abc")])))
    return [join(plain), join(blocks), join([b"\x0f\x2b\x03abc", b"\x10\x01a\x01b", b"\x82\x86"])]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return nullcontext(check)


def check(data: bytes) -> None:
    """Both read the same fields, as long as both find the blocks right."""
    ours = Decoder(LIST_BYTES)
    theirs = hpack.Decoder(max_header_list_size=_NO_LIMIT)
    for block in cut(data):
        try:
            expected = theirs.decode(block, raw=True)
        except hpack.HPACKError:
            expected = None
        try:
            fields = ours.decode(block)
        except HpackError:
            assert expected is None, block
            return
        assert expected is not None, block
        plain = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in expected]
        size = sum(len(name) + len(value) + ENTRY_BYTES for name, value in plain)

        assert (plain if size <= LIST_BYTES else None) == fields, block
