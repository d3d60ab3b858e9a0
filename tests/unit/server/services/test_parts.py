"""Which large messages are refused before they are parsed."""

import pytest

from saccade.v1 import classifier_pb2 as pb
from saccade_server.errors import InvalidArgument
from saccade_server.protocols import inference_pb
from saccade_server.services.parts import LARGE_BYTES, MOST_PARTS, check_parts

CLASSIFY = pb.ClassifyRequest.DESCRIPTOR
INFER = inference_pb.ModelInferRequest.DESCRIPTOR

IMAGE = b"\x12\x00"
"""An empty one of a ClassifyRequest."""

PADDING = bytes([0x7A, 0x80, 0x80, 0x40]) + bytes(LARGE_BYTES)
"""A field of a megabyte that no message knows."""


def wrapped(field: int, content: bytes) -> bytes:
    """A message's field that holds bytes."""
    size, length = len(content), b""
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([field << 3 | 2]) + length + bytes([size]) + content


@pytest.mark.parametrize("images", [1, 128])
def test_large_images_pass(images: int) -> None:
    """However large: what counts is how many parts there are."""
    image = pb.Image(encoded=bytes(2 * LARGE_BYTES // images))
    check_parts(pb.ClassifyRequest(images=[image] * images).SerializeToString(), CLASSIFY)


def test_as_many_parts_as_may_be_pass() -> None:
    """Those that pad the message counted."""
    check_parts(PADDING + IMAGE * (MOST_PARTS - 1), CLASSIFY)


def test_a_part_more_is_refused() -> None:
    """By a text with the bound."""
    with pytest.raises(InvalidArgument, match="more than 250000 parts"):
        check_parts(PADDING + IMAGE * MOST_PARTS, CLASSIFY)


def test_parts_of_parts_count() -> None:
    """Files in the contents of a tensor, before the end of a message that is cut off."""
    files = wrapped(5, wrapped(5, wrapped(8, b"") * (MOST_PARTS + 1)))
    with pytest.raises(InvalidArgument, match="parts"):
        check_parts(files + PADDING[:-1], INFER)


def test_a_float_that_is_not_packed_is_a_part() -> None:
    """An image of 224 x 224 x 3 of them passes."""
    floats = b"\x35\x00\x00\x80\x3f" * (224 * 224 * 3)
    check_parts(wrapped(5, wrapped(5, floats)) + PADDING, INFER)


def test_groups_are_refused() -> None:
    """They would have to be followed, and no method has one."""
    with pytest.raises(InvalidArgument, match="groups"):
        check_parts(b"\x0b" + PADDING, CLASSIFY)


@pytest.mark.parametrize(
    "data",
    [
        PADDING[:-1],
        PADDING + b"\x12",
        PADDING + b"\xff" * 20,
        PADDING + b"\x08" + b"\xff" * 20,
        b"\x12\xff\xff\xff\xff\x0f" + PADDING,
    ],
    ids=["cut off", "without a length", "endless tag", "endless number", "longer than the message"],
)
def test_what_is_no_message_is_the_parser_s_to_refuse(data: bytes) -> None:
    """It says what is wrong."""
    check_parts(data, CLASSIFY)


def test_a_small_message_is_not_looked_at() -> None:
    """It can do little harm, and nearly all are small."""
    check_parts(IMAGE * (LARGE_BYTES // 2), CLASSIFY)
