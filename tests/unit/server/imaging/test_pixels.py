"""Decoded pixels as callers send them, and what graphs want of pixels."""

import numpy as np
import pytest
from PIL import Image

from fixtures.pictures import encode, gradient, input_spec, worst
from saccade_server.artifact import ColorSpace, Resize
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import ImageLimits, decode_image, fit_pixels, graph_values

RGB = input_spec(6, 5)
GRAY = input_spec(6, 5, ColorSpace.GRAY)
PICTURE = gradient(6, 5)


def refusal(data: bytes, shape: tuple[int, int, int]) -> str:
    """The text with which pixels are refused."""
    with pytest.raises(InvalidArgument) as refused:
        fit_pixels(data, shape, RGB, ImageLimits(max_pixels=1000))
    return refused.value.message


def test_pixels_of_the_right_shape_are_taken_as_they_are() -> None:
    """The caller's bytes are not even copied."""
    data = PICTURE.tobytes()
    pixels = fit_pixels(data, (6, 5, 3), RGB)

    assert (True, data) == (np.shares_memory(pixels, np.frombuffer(data, np.uint8)), data)


@pytest.mark.parametrize("length", [0, 89, 91])
def test_a_wrong_number_of_bytes_is_refused(length: int) -> None:
    """The text tells how many are needed."""
    expected = f"the tensor has {length} bytes, 6 x 5 x 3 needs 90"
    assert expected == refusal(bytes(length), (6, 5, 3))


@pytest.mark.parametrize(("height", "width"), [(0, 5), (6, 0), (0, 0), (-1, 5), (6, -5), (-1, -1)])
def test_a_side_without_pixels_is_refused(height: int, width: int) -> None:
    """Zero and less."""
    expected = f"the tensor is {height} x {width}: each side must be at least 1"
    assert expected == refusal(b"", (height, width, 3))


@pytest.mark.parametrize("channels", [-1, 0, 2, 5])
def test_an_unknown_number_of_channels_is_refused(channels: int) -> None:
    """The text tells which there are."""
    expected = f"the tensor has {channels} channels: send 1 (gray), 3 (RGB) or 4 (RGBA)"
    assert expected == refusal(bytes(30 * max(channels, 0)), (6, 5, channels))


def test_too_many_pixels_are_refused() -> None:
    """By the limit of encoded images."""
    expected = "the image is 100 x 20, at most 1000 pixels are allowed"
    assert expected == refusal(bytes(6000), (20, 100, 3))


@pytest.mark.parametrize("resize", Resize)
@pytest.mark.parametrize("color_space", ColorSpace)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_pixels_and_files_take_the_same_way(
    mode: str, color_space: ColorSpace, resize: Resize
) -> None:
    """What is sent as pixels becomes what the same picture, sent as a file, becomes."""
    opacity = np.full((14, 9, 1), 100, np.uint8)
    picture = Image.fromarray(np.concatenate([gradient(14, 9), opacity], axis=2)).convert(mode)
    spec = input_spec(6, 5, color_space, resize=resize)
    expected = decode_image(encode(picture, "PNG"), spec)
    shape = (14, 9, len(mode))

    assert 0 == worst(expected, fit_pixels(picture.tobytes(), shape, spec))


@pytest.mark.parametrize(
    ("resize", "filter_"),
    [
        (Resize.BILINEAR, Image.Resampling.BILINEAR),
        (Resize.BICUBIC, Image.Resampling.BICUBIC),
        (Resize.NEAREST, Image.Resampling.NEAREST),
    ],
)
@pytest.mark.parametrize("size", [(3, 4), (20, 30)])
def test_the_manifest_chooses_the_filter(
    size: tuple[int, int], resize: Resize, filter_: Image.Resampling
) -> None:
    """The result is that of Pillow's filter of the name."""
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (9, 9, 3), np.uint8))
    expected = np.asarray(picture.resize(size[::-1], filter_))
    spec = input_spec(*size, resize=resize)

    assert 0 == worst(expected, decode_image(encode(picture, "PNG"), spec))


def test_bgr_has_its_channels_turned_round() -> None:
    """For graphs that were trained on what OpenCV reads."""
    spec = input_spec(6, 5, ColorSpace.BGR)

    assert 0 == worst(PICTURE[..., ::-1], fit_pixels(PICTURE.tobytes(), (6, 5, 3), spec))


def test_a_graph_that_takes_pixels_gets_them() -> None:
    """They are cast when the batch is put together, not one by one."""
    assert graph_values(PICTURE, RGB) is PICTURE


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        (1 / 255, 0.0, [0.0, 0.4, 1.0]),
        (2 / 255, -1.0, [-1.0, -0.2, 1.0]),
        ([1.0, 2.0, 3.0], [0.5, 0.25, 0.0], [0.5, 204.25, 765.0]),
    ],
)
def test_pixels_are_mapped_to_the_range_of_the_graph(
    scale: float | list[float], offset: float | list[float], expected: list[float]
) -> None:
    """Value = pixel * scale + offset, of each channel its own."""
    pixels = np.array([[[0, 102, 255]]], np.uint8)
    values = graph_values(pixels, input_spec(1, 1, scale=scale, offset=offset))

    assert pytest.approx(expected, abs=1e-5) == values[0, 0].tolist()


def test_mapped_values_are_floats_of_32_bits() -> None:
    """What graphs take; nothing is computed in double precision on the way."""
    assert np.float32 == graph_values(PICTURE, input_spec(6, 5, scale=0.5)).dtype
