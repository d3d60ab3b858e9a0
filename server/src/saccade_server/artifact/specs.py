"""What a graph takes and gives, as the manifest says it."""

import math
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from saccade.v1 import manifest_pb2
from saccade_server.errors import ArtifactError

MAX_SIDE = 8192
MAX_PIXELS = 1 << 22
"""Height times width of a graph's input: 2048 x 2048. A queue holds many of them."""


class ColorSpace(Enum):
    """The channels that a graph takes; the value is their number."""

    GRAY = "gray"
    RGB = "rgb"
    BGR = "bgr"

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self is ColorSpace.GRAY else 3


class Resize(Enum):
    """The filter that brings a picture to the graph's size."""

    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """What a graph takes, and how an image becomes that.

    `scale` and `offset` fold the manifest's pixel range, mean and std into one step:
    value = pixel * scale + offset, with one number for each channel.

    Attributes:
        takes_pixels: The graph takes the values 0 to 255 as they are.
        shape: Height, width, channels.
    """

    signature: str
    name: str
    height: int
    width: int
    color_space: ColorSpace
    dtype: np.dtype[np.float32] | np.dtype[np.uint8]
    resize: Resize
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    takes_pixels: bool = field(init=False)
    shape: tuple[int, int, int] = field(init=False)

    def __post_init__(self) -> None:
        """Asked for every image, computed once."""
        takes_pixels = bool(np.all(self.scale == 1) and np.all(self.offset == 0))
        object.__setattr__(self, "takes_pixels", takes_pixels)
        shape = self.height, self.width, self.color_space.channels
        object.__setattr__(self, "shape", shape)

    def takes_the_same(self, other: "InputSpec") -> bool:
        """Whether an image becomes the same for another graph."""
        return (
            (self.shape, self.color_space, self.dtype, self.resize)
            == (other.shape, other.color_space, other.dtype, other.resize)
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.offset, other.offset)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSpec:
    """What a graph gives: shape (N, classes), float32."""

    name: str
    logits: bool


def read_input_spec(spec: manifest_pb2.InputSpec, source: str) -> InputSpec:
    """The typed form of a manifest's input.

    Args:
        spec: As the manifest has it.
        source: For error texts: which manifest.

    Raises:
        ArtifactError: Something is missing or makes no sense.
    """
    if not (1 <= spec.height <= MAX_SIDE and 1 <= spec.width <= MAX_SIDE):
        raise ArtifactError(f"{source}: input is {spec.height} x {spec.width}, not 1 to {MAX_SIDE}")
    if spec.height * spec.width > MAX_PIXELS:
        raise ArtifactError(
            f"{source}: input is {spec.height} x {spec.width}, more than {MAX_PIXELS} pixels"
        )
    try:
        color_space = _COLOR_SPACES[spec.color_space]
        dtype = _DTYPES[spec.data_type]
        resize = _RESIZES[spec.resize]
    except KeyError as error:
        raise ArtifactError(
            f"{source}: input.color_space, data_type or resize is missing or unknown"
        ) from error
    scale, offset = _affine(spec.pixel_range, color_space.channels, source)
    if dtype == np.uint8 and not (np.all(scale == 1) and np.all(offset == 0)):
        raise ArtifactError(f"{source}: a uint8 input needs the pixel range 0 to 255")
    return InputSpec(
        signature=spec.signature or "serving_default",
        name=spec.name,
        height=spec.height,
        width=spec.width,
        color_space=color_space,
        dtype=dtype,
        resize=resize,
        scale=scale,
        offset=offset,
    )


def _affine(
    pixels: manifest_pb2.PixelRange, channels: int, source: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if pixels.black == pixels.white:
        raise ArtifactError(f"{source}: input.pixel_range is missing or empty")
    mean, std = list(pixels.mean) or [0.0] * channels, list(pixels.std) or [1.0] * channels
    values = [pixels.black, pixels.white, *mean, *std]
    if len(mean) != channels or len(std) != channels or 0 in std:
        raise ArtifactError(f"{source}: input.pixel_range needs {channels} means and non-zero stds")
    if not all(map(math.isfinite, values)):
        raise ArtifactError(f"{source}: input.pixel_range is not finite")
    scale = (pixels.white - pixels.black) / 255 / np.asarray(std, np.float64)
    offset = (pixels.black - np.asarray(mean, np.float64)) / np.asarray(std, np.float64)
    if (255 * np.abs(scale) + np.abs(offset)).max() > np.finfo(np.float32).max:
        raise ArtifactError(f"{source}: input.pixel_range leads to values beyond float32")
    return scale.astype(np.float32), offset.astype(np.float32)


_COLOR_SPACES = {
    manifest_pb2.COLOR_SPACE_GRAY: ColorSpace.GRAY,
    manifest_pb2.COLOR_SPACE_RGB: ColorSpace.RGB,
    manifest_pb2.COLOR_SPACE_BGR: ColorSpace.BGR,
}
_DTYPES: dict[int, np.dtype[np.float32] | np.dtype[np.uint8]] = {
    manifest_pb2.DATA_TYPE_FLOAT32: np.dtype(np.float32),
    manifest_pb2.DATA_TYPE_UINT8: np.dtype(np.uint8),
}
_RESIZES = {
    manifest_pb2.RESIZE_RULE_BILINEAR: Resize.BILINEAR,
    manifest_pb2.RESIZE_RULE_BICUBIC: Resize.BICUBIC,
    manifest_pb2.RESIZE_RULE_NEAREST: Resize.NEAREST,
}
