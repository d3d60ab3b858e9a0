"""Transparent pictures are laid over white."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from fixtures.pictures import encode, gradient, input_spec, png, worst
from saccade_server.artifact import ColorSpace
from saccade_server.imaging import decode_image

TWO = input_spec(1, 2)
TWO_GRAY = input_spec(1, 2, ColorSpace.GRAY)


def palette_with_transparency(**options: object) -> bytes:
    """Two pixels: black, and a red that is transparent."""
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 0, 0])
    return encode(image, "PNG", **options)


# Each file holds two pixels: a black one, and one that cannot be seen at all.
INVISIBLE: dict[str, Callable[[], bytes]] = {
    "RGBA": lambda: encode(
        Image.fromarray(np.array([[[0, 0, 0, 255], [255, 0, 0, 0]]], np.uint8)), "PNG"
    ),
    "LA": lambda: encode(Image.fromarray(np.array([[[0, 255], [80, 0]]], np.uint8), "LA"), "PNG"),
    "palette, one color": lambda: palette_with_transparency(transparency=1),
    "palette, opacities": lambda: palette_with_transparency(transparency=bytes([255, 0])),
    "RGB with a transparent color": lambda: encode(
        Image.fromarray(np.array([[[0, 0, 0], [255, 0, 0]]], np.uint8)),
        "PNG",
        transparency=(255, 0, 0),
    ),
    "gray with a transparent value": lambda: encode(
        Image.fromarray(np.array([[0, 80]], np.uint8)), "PNG", transparency=80
    ),
    "1 bit with a transparent value": lambda: png(1, 0, (1, 2), b"\x40", tRNS=b"\0\1"),
    "16 bits with a transparent value": lambda: png(
        16, 0, (1, 2), b"\x00\x00\x50\x50", tRNS=b"\x50\x50"
    ),
    "RGBA of 16 bits": lambda: png(
        16, 6, (1, 2), b"\0\0\0\0\0\0\xff\xff" + b"\xff\xff\0\0\0\0\0\0"
    ),
    "GIF": lambda: encode(
        Image.open(io.BytesIO(palette_with_transparency(transparency=1))), "GIF", transparency=1
    ),
    "WebP": lambda: encode(
        Image.fromarray(np.array([[[0, 0, 0, 255], [255, 0, 0, 0]]], np.uint8)),
        "WEBP",
        lossless=True,
    ),
}


@pytest.mark.parametrize("kind", INVISIBLE)
def test_what_cannot_be_seen_is_white(kind: str) -> None:
    """Every way in which a file may say that a pixel is transparent."""
    assert [[[0, 0, 0], [255, 255, 255]]] == decode_image(INVISIBLE[kind](), TWO).tolist()


@pytest.mark.parametrize("kind", INVISIBLE)
def test_what_cannot_be_seen_is_white_for_a_gray_graph(kind: str) -> None:
    """The same for one channel."""
    assert [[[0], [255]]] == decode_image(INVISIBLE[kind](), TWO_GRAY).tolist()


@pytest.mark.parametrize(("opacity", "expected"), [(0, 255), (64, 191), (128, 127), (255, 0)])
def test_what_is_half_seen_is_mixed_with_white(opacity: int, expected: int) -> None:
    """Black of some opacity."""
    image = Image.new("RGBA", (4, 4), (0, 0, 0, opacity))
    pixels = decode_image(encode(image, "PNG"), input_spec(4, 4))

    assert 1 >= worst(np.full((4, 4, 3), expected), pixels)


def test_the_color_of_what_cannot_be_seen_does_not_bleed() -> None:
    """Resizing mixes neighbours by their opacity: black beside invisible red gives grays only."""
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:, :8] = 0, 0, 0, 255
    pixels[:, 8:] = 255, 0, 0, 0
    small = decode_image(encode(Image.fromarray(pixels), "PNG"), input_spec(5, 5))

    assert 1 >= worst(np.repeat(small[..., :1], 3, axis=2), small)


def test_resizing_before_or_after_laying_over_white_is_the_same() -> None:
    """The server does it after, at a fraction of the memory."""
    color, opacity = gradient(40, 60), gradient(40, 60)[..., 1:2]
    picture = Image.fromarray(np.concatenate([color, opacity], axis=2))
    spec = input_spec(9, 11)
    opaque = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    expected = decode_image(encode(opaque.convert("RGB"), "PNG"), spec)

    assert 2 >= worst(expected, decode_image(encode(picture, "PNG"), spec))


def test_gray_of_16_bits_is_scaled_down_beside_a_transparent_value() -> None:
    """What can be seen keeps its brightness: the upper eight bits, nothing clipped."""
    rows = b"\x40\x00\x50\x50\xff\xff"
    data = png(16, 0, (1, 3), rows, tRNS=b"\x50\x50")
    spec = input_spec(1, 3, ColorSpace.GRAY)

    assert [[[64], [255], [255]]] == decode_image(data, spec).tolist()
