"""The size and the colours in which a folder's pictures are trained on."""

import re
from dataclasses import dataclass

import numpy as np

from saccade_models.errors import ConfigError
from saccade_server.artifact import MAX_SIDE, ColorSpace, InputSpec, Resize

COLORS = ("rgb", "gray")


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureForm:
    """What becomes of each picture, whatever its own size and shape.

    The whole picture is resized, as a server does it; nothing is cut off.

    Attributes:
        height: In pixels.
        width: In pixels.
        color: "rgb" or "gray".
        resize: The filter. Trained networks are exported with the default.
    """

    height: int = 128
    width: int = 128
    color: str = "rgb"
    resize: Resize = Resize.BICUBIC

    def __post_init__(self) -> None:
        if self.color not in COLORS:
            raise ConfigError(f"color must be one of {', '.join(COLORS)}, got {self.color!r}")
        if not (1 <= self.height <= MAX_SIDE and 1 <= self.width <= MAX_SIDE):
            raise ConfigError(f"image-size must be 1 to {MAX_SIDE} pixels a side, got {self.size}")

    @property
    def size(self) -> str:
        """As `--image-size` takes it."""
        return f"{self.height}x{self.width}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self.height, self.width, self.spec.color_space.channels

    @property
    def spec(self) -> InputSpec:
        """For the server's decoder."""
        space = ColorSpace(self.color)
        return InputSpec(
            signature="",
            name="",
            height=self.height,
            width=self.width,
            color_space=space,
            dtype=np.dtype(np.float32),
            resize=self.resize,
            scale=np.ones(space.channels, np.float32),
            offset=np.zeros(space.channels, np.float32),
        )


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of "128" or "96x128".

    Raises:
        ConfigError: It is neither.
    """
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    if match is None:
        raise ConfigError(f"image-size must be a side or HEIGHTxWIDTH in pixels, got {text!r}")
    return int(match[1]), int(match[2] or match[1])
