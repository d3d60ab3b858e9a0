"""Pictures are turned upright by their EXIF orientation."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fixtures.pictures import encode, gradient, input_spec, worst
from saccade_server.artifact import ColorSpace
from saccade_server.imaging import decode_image

Pixels = NDArray[np.uint8]
ORIENTATION = 0x0112

UPRIGHT = gradient(16, 24)

# How a camera stores the upright picture for each value: the inverse of what a viewer does. By
# the standard's table of where the first row and the first column of the file belong.
STORED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,  # top, left
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.swapaxes(0, 1),  # left, top
    6: lambda upright: upright[:, ::-1].swapaxes(0, 1),  # right, top
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),  # right, bottom
    8: lambda upright: upright[::-1].swapaxes(0, 1),  # left, bottom
}


def photograph(orientation: int, name: str = "PNG", picture: Pixels = UPRIGHT) -> bytes:
    """A file as a camera writes it."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"lossless": True} if name == "WEBP" else {"quality": 95, "subsampling": 0}
    stored = np.ascontiguousarray(STORED[orientation](picture))
    return encode(Image.fromarray(stored), name, exif=exif, **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_the_picture_is_turned_upright(name: str, orientation: int) -> None:
    """All eight ways in which a camera can be held, in each format that can tell it."""
    data = photograph(orientation, name)
    tolerance = 4 if name == "JPEG" else 0

    assert tolerance >= worst(UPRIGHT, decode_image(data, input_spec(16, 24)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(10, 7), (7, 10), (40, 50)])
def test_width_and_height_are_those_of_the_upright_picture(
    size: tuple[int, int], orientation: int
) -> None:
    """Turned and resized, each picture becomes what the upright one becomes."""
    spec = input_spec(*size)
    expected = decode_image(photograph(1), spec)

    assert 1 >= worst(expected, decode_image(photograph(orientation), spec))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_jpeg_is_turned_upright(orientation: int) -> None:
    """Also where it is decoded at a reduced scale."""
    picture = gradient(400, 900)
    spec = input_spec(12, 20, ColorSpace.GRAY)
    expected = decode_image(encode(Image.fromarray(picture), "PNG"), spec)

    assert 4 >= worst(expected, decode_image(photograph(orientation, "JPEG", picture), spec))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_makes_no_sense_is_passed_over(value: int) -> None:
    """The picture is taken as it is stored."""
    exif = Image.Exif()
    exif[ORIENTATION] = value
    data = encode(Image.fromarray(UPRIGHT), "PNG", exif=exif)

    assert 0 == worst(UPRIGHT, decode_image(data, input_spec(16, 24)))


TEXT_INSTEAD_OF_A_NUMBER = b"Exif\0\0" + struct.pack(
    "<2sHIHHHI4sI", b"II", 42, 8, 1, ORIENTATION, 2, 4, b"six", 0
)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"nonsense",
        TEXT_INSTEAD_OF_A_NUMBER,
    ],
)
def test_a_damaged_exif_block_is_passed_over(block: bytes) -> None:
    """It says nothing about the picture."""
    data = encode(Image.fromarray(UPRIGHT), "WEBP", exif=block, lossless=True)

    assert 0 == worst(UPRIGHT, decode_image(data, input_spec(16, 24)))
