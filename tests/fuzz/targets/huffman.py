"""The Huffman code of header strings, against another implementation."""

from contextlib import AbstractContextManager, nullcontext

from hpack.exceptions import HPACKDecodingError
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman

from saccade_server.transports.http2 import huffman

from ..catalogue import Check

_ENCODER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


def seeds() -> list[bytes]:
    """Texts of headers, and all octets."""
    texts = (b"application/grpc", b"/saccade.v1.ImageClassifier/Classify", bytes(range(256)))
    return [_ENCODER.encode(text) for text in texts]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return nullcontext(check)


def check(data: bytes) -> None:
    """Both take the same bytes for the same text, which is encoded in no other way; any text is."""
    ours: bytes | None
    try:
        ours = huffman.decode(data)
    except huffman.HuffmanError:
        ours = None
    theirs: bytes | None
    try:
        theirs = decode_huffman(data)
    except HPACKDecodingError:
        theirs = None

    assert theirs == ours, (theirs, ours)
    assert ours is None or data == _ENCODER.encode(ours), ours
    assert data == huffman.decode(_ENCODER.encode(data))
