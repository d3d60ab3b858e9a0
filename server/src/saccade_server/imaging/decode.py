"""Bounded decoding and resizing, the same for serving and for training.

Everything here is a function of its arguments, safe to call from any thread, and lets go of the
interpreter lock while Pillow's C code works.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from saccade_server.artifact import ColorSpace, InputSpec, Resize
from saccade_server.errors import InvalidArgument
from saccade_server.imaging.effort import Metered, check_effort

# Pillow warns and later raises at limits of its own. Ours (ImageLimits) are checked first, from
# the header, and are the same at every call.
Image.MAX_IMAGE_PIXELS = None

ORIENTATION = 0x0112
"""The EXIF tag."""

MAX_SIDE = 65_535
"""Of an image, as in JPEG. The memory of a resize grows with the longer side too."""

_FILTERS = {
    Resize.BILINEAR: Image.Resampling.BILINEAR,
    Resize.BICUBIC: Image.Resampling.BICUBIC,
    Resize.NEAREST: Image.Resampling.NEAREST,
}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture with that EXIF orientation is turned upright; 5 to 8 swap width and height."""

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What one image may cost.

    Attributes:
        max_pixels: Width times height, as the header says, before anything is decoded. Decoding
            takes up to 12 bytes for each (see SECURITY.md).
        max_bytes: Of the encoded file.
        formats: Pillow's names of the decoders that may be used.
    """

    max_pixels: int = 40_000_000
    max_bytes: int = 32 << 20
    formats: tuple[str, ...] = ("JPEG", "PNG", "GIF", "BMP", "WEBP")


DEFAULT_LIMITS = ImageLimits()


def decode_image(
    data: bytes, spec: InputSpec, limits: ImageLimits = DEFAULT_LIMITS
) -> NDArray[np.uint8]:
    """Decodes an image file and brings it to a graph's size and color space.

    Of an animation the first frame counts. The picture is turned upright by its EXIF orientation,
    transparency is laid over white, and a JPEG much larger than needed is decoded at a reduced
    scale that leaves at least twice the target's size for the resize filter.

    Args:
        data: A whole file in one of `limits.formats`.
        spec: What the graph takes.
        limits: What the image may cost.

    Returns:
        Shape `spec.shape` (height, width, channels), values 0 to 255.

    Raises:
        InvalidArgument: Not such a file, damaged, or beyond the limits.
    """
    if not data:
        raise InvalidArgument("the image is empty: send the bytes of a file")
    if len(data) > limits.max_bytes:
        raise InvalidArgument(
            f"the image has {len(data)} bytes, at most {limits.max_bytes} are allowed"
        )
    formats = ", ".join(limits.formats)
    try:
        with Image.open(Metered(data), formats=limits.formats) as image:
            _check_pixels(image.width, image.height, limits)
            check_effort(image, data)
            _draft(image, spec)
            return _fit(image, spec)
    except InvalidArgument:
        raise
    except UnidentifiedImageError:
        raise InvalidArgument(f"not an image: send the bytes of a file of type {formats}") from None
    except Exception as error:
        raise InvalidArgument(
            f"damaged image, cannot be decoded ({type(error).__name__})"
        ) from error


def fit_pixels(
    data: bytes,
    shape: tuple[int, int, int],
    spec: InputSpec,
    limits: ImageLimits = DEFAULT_LIMITS,
) -> NDArray[np.uint8]:
    """Brings decoded pixels to a graph's size and color space, by the rule of `decode_image`.

    Args:
        data: One byte a value, rows from the top, channels innermost.
        shape: Height, width and channels: 1 (gray), 3 (RGB) or 4 (RGBA) of `data`.
        spec: What the graph takes.
        limits: What the image may cost.

    Returns:
        Shape `spec.shape`, values 0 to 255; a view of `data` where nothing had to change.

    Raises:
        InvalidArgument: The shape is impossible, too large, or not that of `data`.
    """
    height, width, channels = shape
    if height < 1 or width < 1:
        raise InvalidArgument(f"the tensor is {height} x {width}: each side must be at least 1")
    if channels not in _MODES:
        raise InvalidArgument(
            f"the tensor has {channels} channels: send 1 (gray), 3 (RGB) or 4 (RGBA)"
        )
    _check_pixels(width, height, limits)
    if len(data) != height * width * channels:
        raise InvalidArgument(
            f"the tensor has {len(data)} bytes, "
            f"{height} x {width} x {channels} needs {height * width * channels}"
        )
    if shape == spec.shape and spec.color_space is not ColorSpace.BGR:
        return np.frombuffer(data, np.uint8).reshape(shape)
    return _fit(Image.frombytes(_MODES[channels], (width, height), data), spec)


def graph_values(pixels: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8 | np.float32]:
    """Maps pixels 0 to 255 to the values that the graph takes.

    Returns:
        `pixels` itself where the graph takes 0 to 255 (the batch is cast to the graph's type
        when it is put together), else float32 of the same shape.
    """
    if spec.takes_pixels:
        return pixels
    return pixels * spec.scale + spec.offset


def _check_pixels(width: int, height: int, limits: ImageLimits) -> None:
    if width * height > limits.max_pixels:
        raise InvalidArgument(
            f"the image is {width} x {height}, at most {limits.max_pixels} pixels are allowed"
        )
    if max(width, height) > MAX_SIDE:
        raise InvalidArgument(f"the image is {width} x {height}, a side may have {MAX_SIDE} pixels")


def _draft(image: Image.Image, spec: InputSpec) -> None:
    """Lets the JPEG decoder skip what the resize would throw away."""
    side = 2 * max(spec.height, spec.width)
    mode = "L" if spec.color_space is ColorSpace.GRAY and image.mode == "RGB" else image.mode
    image.draft(mode, (side, side))


def _fit(image: Image.Image, spec: InputSpec) -> NDArray[np.uint8]:
    orientation = _orientation(image)
    size = (spec.width, spec.height)
    image = _plain(image, "L" if spec.color_space is ColorSpace.GRAY else "RGB")
    image = image.resize(size[::-1] if orientation >= 5 else size, _FILTERS[spec.resize])
    if image.mode == "RGBA":
        # The filter above weighs colors by their opacity, so that this is the same as laying the
        # full picture over white, at a fraction of the memory.
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("L" if spec.color_space is ColorSpace.GRAY else "RGB")
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    pixels = np.asarray(image).reshape(spec.shape)
    return np.ascontiguousarray(pixels[..., ::-1]) if spec.color_space is ColorSpace.BGR else pixels


def _plain(image: Image.Image, mode: str) -> Image.Image:
    """The picture in `mode`, or in RGBA if any of it is transparent, with 8 bits a channel."""
    if image.mode.startswith(("I", "F")):
        image = _narrow(image)
    if image.has_transparency_data:
        mode = "RGBA"
    return image if image.mode == mode else image.convert(mode)


def _narrow(image: Image.Image) -> Image.Image:
    """Gray of 16 bits as gray of 8; Pillow's own conversion clips at 255 instead of scaling."""
    wide = np.asarray(image).astype(np.uint16, copy=False)
    gray = Image.fromarray((wide >> 8).astype(np.uint8))
    transparent = image.info.get("transparency")
    if transparent is None:
        return gray
    opacity = (wide != transparent).astype(np.uint8) * np.uint8(255)
    return Image.merge("LA", (gray, Image.fromarray(opacity)))


def _orientation(image: Image.Image) -> int:
    """1 to 8; 1 (upright) where EXIF is absent or makes no sense."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a damaged EXIF block says nothing about the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
