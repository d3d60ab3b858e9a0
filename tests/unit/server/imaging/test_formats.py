"""Every format, and every kind of pixel that its files may hold, becomes 8 bits a channel."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.pictures import FORMATS, encode, gradient, input_spec, png, worst
from saccade_server.artifact import ColorSpace, InputSpec
from saccade_server.imaging import decode_image

PICTURE = gradient(16, 24)
RGB = input_spec(16, 24)
GRAY = input_spec(16, 24, ColorSpace.GRAY)

OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
}
# JPEG rounds, and a GIF has 256 colors at most.
TOLERANCE = {"JPEG": 4, "GIF": 24}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read(name: str) -> None:
    """The pixels are those of the picture, as far as the format keeps them."""
    data = encode(Image.fromarray(PICTURE), name, **OPTIONS.get(name, {}))

    assert TOLERANCE.get(name, 0) >= worst(PICTURE, decode_image(data, RGB))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_gray_pictures(name: str) -> None:
    """A gray file for a gray graph."""
    gray = PICTURE[..., :1]
    data = encode(Image.fromarray(gray[..., 0]), name, **OPTIONS.get(name, {}))

    assert TOLERANCE.get(name, 0) >= worst(gray, decode_image(data, GRAY))


@pytest.mark.parametrize("color_space", [ColorSpace.RGB, ColorSpace.GRAY])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 2}], ids=["plain", "progressive", "420"]
)
def test_jpegs_of_every_kind_are_read(options: dict[str, Any], color_space: ColorSpace) -> None:
    """Sequential and progressive, with and without reduced color."""
    picture = Image.fromarray(gradient(64, 96))
    spec = input_spec(64, 96, color_space)
    data = encode(picture, "JPEG", quality=95, **options)
    expected = decode_image(encode(picture, "PNG"), spec)

    assert 6 >= worst(expected, decode_image(data, spec))


@pytest.mark.parametrize("side", [28, 224])
@pytest.mark.parametrize("color_space", [ColorSpace.RGB, ColorSpace.GRAY])
def test_a_large_jpeg_is_read_at_a_reduced_scale_without_loss(
    side: int, color_space: ColorSpace
) -> None:
    """What the decoder leaves out, the resize would have thrown away."""
    picture = gradient(1200, 1600)
    spec = input_spec(side, side, color_space)
    expected = decode_image(encode(Image.fromarray(picture), "PNG"), spec)
    data = encode(Image.fromarray(picture), "JPEG", quality=95)

    assert 4 >= worst(expected, decode_image(data, spec))


def test_gray_is_the_luma_of_bt_601() -> None:
    """0.299 R + 0.587 G + 0.114 B, rounded."""
    data = encode(Image.fromarray(PICTURE), "PNG")
    expected = PICTURE.astype(np.float64) @ [[0.299], [0.587], [0.114]]

    assert 1 > worst(expected, decode_image(data, GRAY))


def test_gray_pictures_fill_all_channels_of_an_rgb_graph() -> None:
    """Each channel has the same value."""
    gray = PICTURE[..., :1]
    data = encode(Image.fromarray(gray[..., 0]), "PNG")

    assert 0 == worst(np.repeat(gray, 3, axis=2), decode_image(data, RGB))


def test_palette_colors_are_looked_up() -> None:
    """The picture has the colors of its palette, not its indices."""
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    expected = [[[10, 20, 30], [40, 50, 60]], [[70, 80, 90], [40, 50, 60]]]

    assert expected == decode_image(encode(image, "PNG"), input_spec(2, 2)).tolist()


@pytest.mark.parametrize("name", ["PNG", "GIF", "BMP"])
def test_one_bit_a_pixel_is_black_and_white(name: str) -> None:
    """0 and 255, not 0 and 1."""
    image = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    spec = input_spec(2, 2, ColorSpace.GRAY)

    assert [[[0], [255]], [[255], [0]]] == decode_image(encode(image, name), spec).tolist()


@pytest.mark.parametrize("spec", [GRAY, RGB], ids=["gray", "rgb"])
def test_gray_of_16_bits_is_scaled_down(spec: InputSpec) -> None:
    """To the upper eight bits; nothing is clipped."""
    high = PICTURE[..., :1]
    low = PICTURE[..., 1:2]
    wide = (high.astype(np.uint16) << 8 | low)[..., 0]
    data = encode(Image.fromarray(wide), "PNG")
    expected = np.repeat(high, spec.color_space.channels, axis=2)

    assert 0 == worst(expected, decode_image(data, spec))


def test_color_of_16_bits_is_scaled_down() -> None:
    """To the upper eight bits."""
    data = png(16, 2, (16, 24), (PICTURE.astype(">u2") << 8 | 77).astype(">u2").tobytes())

    assert 0 == worst(PICTURE, decode_image(data, RGB))


@pytest.mark.parametrize(
    ("cmyk", "expected"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 255, 255, 0), (255, 0, 0)),
        ((255, 0, 255, 0), (0, 255, 0)),
        ((255, 255, 0, 0), (0, 0, 255)),
    ],
)
def test_printing_colors_are_mixed(
    cmyk: tuple[int, int, int, int], expected: tuple[int, int, int]
) -> None:
    """A CMYK file, as comes from printing, has the colors that it would have on paper."""
    data = encode(Image.new("CMYK", (16, 16), cmyk), "JPEG", quality=95)
    pixels = decode_image(data, input_spec(16, 16))

    assert 4 >= worst(np.broadcast_to(expected, (16, 16, 3)), pixels)


@pytest.mark.parametrize(
    ("name", "options"),
    [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {})],
)
def test_of_an_animation_the_first_frame_counts(name: str, options: dict[str, Any]) -> None:
    """Not the last, and not an average."""
    red, blue = (Image.new("RGB", (8, 8), color) for color in ("red", "blue"))
    data = encode(red, name, save_all=True, append_images=[blue], duration=100, **options)

    assert 0 == worst(np.asarray(red), decode_image(data, input_spec(8, 8)))


def test_an_interlaced_png_is_read_whole() -> None:
    """One pixel of one pass: a handmade file of the smallest kind."""
    data = png(8, 0, (1, 1), b"\x80", interlace=1)

    assert [[[128]]] == decode_image(data, input_spec(1, 1, ColorSpace.GRAY)).tolist()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
def test_very_thin_pictures_are_stretched(shape: tuple[int, int]) -> None:
    """The whole picture is used, whatever its form."""
    data = encode(Image.new("L", shape[::-1], 99), "PNG")
    pixels = decode_image(data, input_spec(8, 8, ColorSpace.GRAY))

    assert [99] == np.unique(pixels).tolist()
