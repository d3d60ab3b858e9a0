"""HPACK, the compression of HTTP/2 headers (RFC 7541): a decoder, and constant blocks to send.

We send literals that are never indexed, so an answer's headers are constant bytes and the peer's
table never matters. Strings are octets; here each is a `str` of the code points 0 to 255.
"""

from collections import deque

from saccade_server.transports.http2 import huffman

Field = tuple[str, str]

TABLE_BYTES = 4096
"""Of the dynamic table: the default of SETTINGS_HEADER_TABLE_SIZE, which we leave as it is."""

ENTRY_BYTES = 32
"""What an entry counts beyond its strings."""

NO_TABLE = b"\x20"
"""Sets the dynamic table's size to 0. Sent once, before our first header, it answers whatever
table size the peer may ask for: a smaller one would have to be acknowledged."""

_MAX_INTEGER = 1 << 24
"""No index or length that a header block can hold is larger."""

_STATIC_TABLE = """\
:authority|
:method|GET
:method|POST
:path|/
:path|/index.html
:scheme|http
:scheme|https
:status|200
:status|204
:status|206
:status|304
:status|400
:status|404
:status|500
accept-charset|
accept-encoding|gzip, deflate
accept-language|
accept-ranges|
accept|
access-control-allow-origin|
age|
allow|
authorization|
cache-control|
content-disposition|
content-encoding|
content-language|
content-length|
content-location|
content-range|
content-type|
cookie|
date|
etag|
expect|
expires|
from|
host|
if-match|
if-modified-since|
if-none-match|
if-range|
if-unmodified-since|
last-modified|
link|
location|
max-forwards|
proxy-authenticate|
proxy-authorization|
range|
referer|
refresh|
retry-after|
server|
set-cookie|
strict-transport-security|
transfer-encoding|
user-agent|
vary|
via|
www-authenticate|
"""

STATIC: tuple[Field, ...] = (
    ("", ""),  # Indices count from 1.
    *[(name, value) for name, _, value in [x.partition("|") for x in _STATIC_TABLE.splitlines()]],
)


_STATIC_END = len(STATIC)


class HpackError(Exception):
    """The block is not HPACK; the connection cannot go on, as the tables may differ."""


def literal(name: str, value: str) -> bytes:
    """A header, encoded without indexing and without Huffman code."""
    return b"\0" + _string(name) + _string(value)


def _string(text: str) -> bytes:
    octets = text.encode("latin-1")
    size = len(octets)
    if size < 0x7F:
        return bytes((size,)) + octets
    size -= 0x7F
    prefix = bytearray(b"\x7f")
    while size >= 0x80:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + octets


class Decoder:
    """Decodes the header blocks of one direction of one connection, in their order.

    Args:
        max_list_bytes: Of the decoded fields of a block.

    Attributes:
        changes: Counts changes of the dynamic table. While it stays, equal blocks mean equal
            fields.
    """

    def __init__(self, max_list_bytes: int) -> None:
        self.changes = 0
        self._max_list_bytes = max_list_bytes
        self._entries: deque[Field] = deque()
        self._size = 0
        self._limit = TABLE_BYTES

    def decode(self, block: bytes) -> list[Field] | None:
        """The fields of a block, in order; None where they are too many (the table is right).

        Raises:
            HpackError: The connection cannot go on.
        """
        try:
            return self._decode(block)
        except IndexError:
            raise HpackError("an index or a length beyond the end") from None
        except huffman.HuffmanError as error:
            raise HpackError(str(error)) from None

    def _decode(self, block: bytes) -> list[Field] | None:
        fields: list[Field] = []
        position = size = 0
        end = len(block)
        while position < end:
            first = block[position]
            if first > 0x80 and first != 0xFF:
                # The usual case: a known field, its index in one octet.
                position += 1
                index = first & 0x7F
                field = STATIC[index] if index < _STATIC_END else self._entries[index - _STATIC_END]
            elif first & 0x80:
                index, position = _integer(block, position, 0x7F)
                field = self._field(index)
            elif first & 0xE0 == 0x20:
                position = self._resize(block, position, at_start=not fields)
                continue
            else:
                field, position = self._literal(block, position)
            size += len(field[0]) + len(field[1]) + ENTRY_BYTES
            # Fields that are too many are still decoded, for the table's sake, but not kept.
            if size <= self._max_list_bytes or not fields:
                fields.append(field)
        return fields if size <= self._max_list_bytes else None

    def _literal(self, block: bytes, position: int) -> tuple[Field, int]:
        indexed = block[position] & 0x40
        index, position = _integer(block, position, 0x3F if indexed else 0x0F)
        if index:
            name = self._field(index)[0]
        else:
            name, position = _text(block, position)
        value, position = _text(block, position)
        field = (name, value)
        if indexed:
            self._add(field)
        return field, position

    def _field(self, index: int) -> Field:
        if index >= _STATIC_END:
            return self._entries[index - _STATIC_END]
        if not index:
            raise HpackError("index 0")
        return STATIC[index]

    def _add(self, field: Field) -> None:
        self.changes += 1
        self._entries.appendleft(field)
        self._size += len(field[0]) + len(field[1]) + ENTRY_BYTES
        self._evict()

    def _evict(self) -> None:
        while self._size > self._limit:
            name, value = self._entries.pop()
            self._size -= len(name) + len(value) + ENTRY_BYTES

    def _resize(self, block: bytes, position: int, *, at_start: bool) -> int:
        if not at_start:
            raise HpackError("a table size update after a field")
        limit, position = _integer(block, position, 0x1F)
        if limit > TABLE_BYTES:
            raise HpackError(f"a table of {limit} bytes, where {TABLE_BYTES} are allowed")
        self.changes += 1
        self._limit = limit
        self._evict()
        return position


def _integer(block: bytes, position: int, mask: int) -> tuple[int, int]:
    """An integer whose first bits are under `mask`, and the position behind it."""
    value = block[position] & mask
    position += 1
    if value < mask:
        return value, position
    shift = 0
    while True:
        octet = block[position]
        position += 1
        value += (octet & 0x7F) << shift
        if octet < 0x80 and value < _MAX_INTEGER:
            return value, position
        shift += 7
        if shift > 28 or octet < 0x80:
            raise HpackError("an integer without end or measure")


def _text(block: bytes, position: int) -> tuple[str, int]:
    """A string, and the position behind it."""
    first = block[position]
    size = first & 0x7F
    if size < 0x7F:
        position += 1
    else:
        size, position = _integer(block, position, 0x7F)
    end = position + size
    if end > len(block):
        raise HpackError("a string beyond the end")
    octets = block[position:end]
    return (huffman.decode(octets) if first & 0x80 else octets).decode("latin-1"), end
