import random
import string

import hpack
import pytest

from fixtures.http2_peer import read_block
from saccade_server.transports.http2 import huffman
from saccade_server.transports.http2.hpack import (
    NO_TABLE,
    STATIC,
    Decoder,
    Field,
    HpackError,
    literal,
)

LIST_BYTES = 16384

# RFC 7541, appendix C.3 and C.4: three requests on one connection, plain and Huffman coded.
PLAIN = (
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
)
CODED = (
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
)
REQUESTS = [
    [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
    ],
    [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
        ("cache-control", "no-cache"),
    ],
    [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ],
]

# RFC 7541, appendix C.2: one field each, in the four ways to write it.
SINGLE = {
    "400a637573746f6d2d6b65790d637573746f6d2d686561646572": ("custom-key", "custom-header"),
    "040c2f73616d706c652f70617468": (":path", "/sample/path"),
    "100870617373776f726406736563726574": ("password", "secret"),
    "82": (":method", "GET"),
}


def decode(decoder: Decoder, hexadecimal: str) -> list[Field] | None:
    return decoder.decode(bytes.fromhex(hexadecimal))


@pytest.mark.parametrize(("block", "field"), SINGLE.items())
def test_each_way_to_write_a_field_is_read(block: str, field: Field) -> None:
    """The examples of RFC 7541, appendix C.2."""
    decoded = decode(Decoder(LIST_BYTES), block)

    assert [field] == decoded


@pytest.mark.parametrize("blocks", [PLAIN, CODED], ids=["plain", "coded"])
def test_requests_that_build_on_each_other_are_read(blocks: tuple[str, ...]) -> None:
    """The examples of RFC 7541, appendices C.3 and C.4: later ones refer to earlier ones."""
    decoder = Decoder(LIST_BYTES)

    decoded = [decode(decoder, block) for block in blocks]

    assert REQUESTS == decoded


def test_entries_leave_a_table_that_shrinks_and_grows() -> None:
    """A size update evicts the oldest entries; a later, larger one does not bring them back."""
    decoder = Decoder(LIST_BYTES)
    decode(decoder, PLAIN[0])

    decode(decoder, "203fe11f")

    with pytest.raises(HpackError, match="beyond the end"):
        decode(decoder, "be")


def test_an_entry_larger_than_the_table_empties_it() -> None:
    """RFC 7541, section 4.4: that is no error."""
    decoder = Decoder(1 << 20)
    encoder = hpack.Encoder()
    decoder.decode(encoder.encode([("a", "b")]))
    large = b"\x40\x01x" + b"\x7f\xff\x7f" + b"y" * (127 + 0x3FFF)

    fields = decoder.decode(large)

    assert [("x", "y" * (127 + 0x3FFF))] == fields
    with pytest.raises(HpackError):
        decoder.decode(b"\xbe")


MALFORMED = {
    "index 0": "80",
    "an index beyond the table": "be",
    "a name index beyond the table": "7e0161",
    "a string longer than the block": "000561",
    "no value": "000161",
    "a number that does not end": "ffffffffffffffffff",
    "a number out of all measure": "ff8080808010",
    "a number cut off": "ff",
    "a table larger than allowed": "3fe21f",
    "a table size behind a field": "8220",
    "an end symbol in a string": "000161" + "84ffffffff",
    "padding that is not all ones": "00016181" + "18",
    "padding of eight bits": "000161821fff",
}


@pytest.mark.parametrize("block", MALFORMED.values(), ids=list(MALFORMED))
def test_a_malformed_block_is_an_error(block: str) -> None:
    """Whatever the tables would be afterwards, both ends would no longer agree."""
    with pytest.raises(HpackError):
        decode(Decoder(LIST_BYTES), block)


def test_a_list_that_is_too_long_still_changes_the_table() -> None:
    """The request can be refused, and the connection goes on."""
    decoder = Decoder(200)
    encoder = hpack.Encoder()
    fields = [(f"name-{i}", "value" * 5) for i in range(10)]

    refused = decoder.decode(encoder.encode(fields))
    accepted = decoder.decode(encoder.encode(fields[8:]))

    assert None is refused
    assert fields[8:] == accepted


def test_only_blocks_that_change_the_table_are_counted() -> None:
    """The same bytes may be taken for the same fields as long as the count stays."""
    decoder = Decoder(LIST_BYTES)

    counts = []
    for block in ("82", "40016101620f0d0161", "82be", "20"):
        decode(decoder, block)
        counts.append(decoder.changes)

    assert [0, 1, 1, 2] == counts


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 254, 255, 16383, 20000])
def test_what_we_encode_is_read_by_others(size: int) -> None:
    """Literals of any length, behind our one table size update."""
    value = "v" * size
    decoder = hpack.Decoder(max_header_list_size=1 << 20)

    decoded = read_block(NO_TABLE + literal("name", value), decoder)

    assert {"name": value} == decoded


def test_the_static_table_is_the_one_of_others() -> None:
    """All 61 entries agree with those of an independent implementation."""
    theirs = [
        (name.decode(), value.decode()) for name, value in hpack.table.HeaderTable.STATIC_TABLE
    ]

    assert theirs == list(STATIC[1:])


def random_fields(random_: random.Random) -> list[Field]:
    """Fields of which some come again, with common and odd names and values."""
    names = [STATIC[random_.randint(1, 61)][0], "grpc-timeout", "x-" + "n" * random_.randint(1, 9)]
    alphabet = string.printable + "\x00\x7f\x80\xff"
    return [
        (
            random_.choice(names),
            "".join(random_.choices(alphabet, k=random_.choice((0, 3, 20, 200)))),
        )
        for _ in range(random_.randint(0, 12))
    ]


@pytest.mark.parametrize("seed", range(10))
def test_any_fields_of_another_encoder_are_read(seed: int) -> None:
    """Fifty blocks in a row, with Huffman code or without, indexed, never indexed, resized."""
    random_ = random.Random(seed)
    encoder = hpack.Encoder()
    decoder = Decoder(1 << 20)
    for _ in range(50):
        if random_.random() < 0.1:
            encoder.header_table_size = random_.randint(0, 4096)
        fields = random_fields(random_)
        tuples = [
            hpack.NeverIndexedHeaderTuple(n.encode("latin-1"), v.encode("latin-1"))
            if random_.random() < 0.2
            else hpack.HeaderTuple(n.encode("latin-1"), v.encode("latin-1"))
            for n, v in fields
        ]
        block = encoder.encode(tuples, huffman=random_.random() < 0.5)

        assert fields == decoder.decode(block)


@pytest.mark.parametrize("seed", range(10))
def test_any_bytes_are_read_or_refused_as_by_others(seed: int) -> None:
    """Huffman strings of random bits: both decoders agree on what is one, and what it says."""
    random_ = random.Random(seed)
    for _ in range(200):
        text = random_.randbytes(random_.randint(0, 6))
        try:
            theirs = hpack.huffman_table.decode_huffman(text) or b""
        except hpack.HPACKDecodingError:
            theirs = None
        try:
            ours = huffman.decode(text)
        except huffman.HuffmanError:
            ours = None

        assert theirs == ours


def test_every_octet_survives_the_code() -> None:
    """An independent encoder writes all 256 of them, we read them."""
    encoder = hpack.huffman.HuffmanEncoder(
        hpack.huffman_constants.REQUEST_CODES, hpack.huffman_constants.REQUEST_CODES_LENGTH
    )
    octets = bytes(range(256))

    decoded = huffman.decode(encoder.encode(octets))

    assert octets == decoded
