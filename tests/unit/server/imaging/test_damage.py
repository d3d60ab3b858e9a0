"""What is no image, or too much of one, is refused with a text; nothing else ever happens."""

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.pictures import FORMATS, encode, gradient, input_spec, png
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import ImageLimits, decode_image

SPEC = input_spec(8, 8)
NOISE = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)


def refusal(data: bytes, limits: ImageLimits = ImageLimits()) -> str:  # noqa: B008 - a value
    """The text with which an image is refused."""
    with pytest.raises(InvalidArgument) as refused:
        decode_image(data, SPEC, limits)
    return refused.value.message


def test_nothing_is_no_image() -> None:
    """The text says what to send."""
    assert "the image is empty: send the bytes of a file" == refusal(b"")


@pytest.mark.parametrize(
    "data",
    [b"x", b"GIF", b"\0" * 1000, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7\n"],
)
def test_something_else_is_no_image(data: bytes) -> None:
    """The text says which formats there are."""
    expected = "not an image: send the bytes of a file of type JPEG, PNG, GIF, BMP, WEBP"
    assert expected == refusal(data)


@pytest.mark.parametrize("name", ["TIFF", "ICO", "PPM", "TGA", "JPEG2000"])
def test_other_formats_are_not_tried(name: str) -> None:
    """Their decoders are never reached: each one would be one more way to be attacked."""
    data = encode(Image.fromarray(NOISE), name)

    assert refusal(data).startswith("not an image")


def test_the_formats_can_be_narrowed() -> None:
    """A caller of the library decides what it takes."""
    data = encode(Image.fromarray(NOISE), "BMP")

    expected = "not an image: send the bytes of a file of type PNG"
    assert expected == refusal(data, ImageLimits(formats=("PNG",)))


@pytest.mark.parametrize("name", FORMATS)
def test_half_a_file_is_refused(name: str) -> None:
    """A picture that is not whole is not classified: its lower half would be invented."""
    data = encode(Image.fromarray(NOISE), name)

    assert refusal(data[: len(data) // 2]).startswith("damaged image, cannot be decoded")


@pytest.mark.parametrize("name", FORMATS)
def test_no_cut_does_anything_else(name: str) -> None:
    """Wherever a file ends, it is decoded or refused; nothing else is raised."""
    data = encode(Image.fromarray(gradient(16, 16)), name)
    for end in range(0, len(data), 7):
        outcome(data[:end])


@pytest.mark.parametrize("name", FORMATS)
def test_no_flipped_bits_do_anything_else(name: str) -> None:
    """Whatever bytes of a file are wrong, it is decoded or refused; nothing else is raised."""
    random = np.random.default_rng(11)
    data = np.frombuffer(encode(Image.fromarray(gradient(16, 16)), name), np.uint8)
    for _ in range(150):
        damaged = data.copy()
        where = random.integers(0, len(data), 3)
        damaged[where] = random.integers(0, 256, 3)
        outcome(damaged.tobytes())


def outcome(data: bytes) -> tuple[Any, ...] | str:
    """The shape of a decoded image or the text of its refusal."""
    try:
        return decode_image(data, SPEC, ImageLimits(max_pixels=1_000_000)).shape
    except InvalidArgument as error:
        return error.message


def test_a_picture_beyond_the_limit_is_refused() -> None:
    """The text tells its size and the limit."""
    data = encode(Image.new("L", (30, 20)), "PNG")

    expected = "the image is 30 x 20, at most 599 pixels are allowed"
    assert expected == refusal(data, ImageLimits(max_pixels=599))


def test_a_picture_at_the_limit_is_accepted() -> None:
    """Width times height may be as large as the limit."""
    data = encode(Image.new("L", (30, 20)), "PNG")

    assert SPEC.shape == decode_image(data, SPEC, ImageLimits(max_pixels=600)).shape


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    """A few bytes that claim to be 40,000 by 40,000 pixels: nothing of that size is ever made."""
    bomb = png(8, 2, (40_000, 40_000), b"\0" * 40_000)

    assert "the image is 40000 x 40000, at most 40000000 pixels are allowed" == refusal(bomb)


def test_a_gif_whose_frame_is_larger_than_its_screen_is_refused() -> None:
    """The frame's own size counts too: it is what is decoded."""
    data = bytearray(encode(Image.new("L", (8, 8)), "GIF"))
    frame = data.index(b"\x2c")
    data[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)

    expected = "the image is 60000 x 60000, at most 40000000 pixels are allowed"
    assert expected == refusal(bytes(data))


def test_a_file_of_too_many_bytes_is_refused() -> None:
    """Before it is looked at."""
    data = encode(Image.fromarray(NOISE), "PNG")

    expected = f"the image has {len(data)} bytes, at most 1000 are allowed"
    assert expected == refusal(data, ImageLimits(max_bytes=1000))
