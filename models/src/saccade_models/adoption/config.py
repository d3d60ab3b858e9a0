"""The settings of an adoption."""

import math
from dataclasses import dataclass
from pathlib import Path

from saccade_models.adoption.ranges import RANGES, Range
from saccade_models.errors import ConfigError
from saccade_models.repository import check_model_name
from saccade_server.artifact import MAX_SIDE, ColorSpace, Resize

COLORS = tuple(color.value for color in ColorSpace)
RESIZES = tuple(rule.value for rule in Resize)
ACTIVATIONS = ("probabilities", "logits")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionConfig:
    """Which model to adopt, where to put it, and what is known about it.

    Empty or 0 means: find out, or ask for it.

    Attributes:
        source: A SavedModel's folder, or a `.keras`, `.h5` or `.hdf5` file.
        output: The model repository; the version lands in `output/name/`.
        labels: A text file, a class label a line, by index.
        samples: A folder of pictures, or of one such folder a class.
        signature: Of the SavedModel.
        output_name: Of the signature's output, where it has several.
        height: In pixels, where the graph leaves it open; so `width`.
        color: One of COLORS.
        resize: One of RESIZES.
        range: One of RANGES, unless `scale`, `mean` or `std` say it.
        scale: What a pixel of 0 to 255 is multiplied by, first.
        mean: Then subtracted: one number, or one each for red, green, blue.
        std: Then divided by; the same.
        activation: One of ACTIVATIONS, where a trial run cannot tell.
    """

    source: Path
    output: Path
    name: str
    labels: Path | None = None
    samples: Path | None = None
    signature: str = ""
    output_name: str = ""
    height: int = 0
    width: int = 0
    color: str = ""
    resize: str = "bilinear"
    range: str = ""
    scale: float | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    activation: str = ""

    def __post_init__(self) -> None:
        check_model_name(self.name)
        for setting, value, known in [
            ("color", self.color, ("", *COLORS)),
            ("resize", self.resize, RESIZES),
            ("range", self.range, ("", *RANGES)),
            ("activation", self.activation, ("", *ACTIVATIONS)),
        ]:
            if value not in known:
                raise ConfigError(f"{setting} must be one of {', '.join(known)}, got {value!r}")
        for setting, side in [("height", self.height), ("width", self.width)]:
            if not 0 <= side <= MAX_SIDE:
                raise ConfigError(f"{setting} must be 1 to {MAX_SIDE}, got {side}")
        if self.range and self.has_own_range:
            raise ConfigError("range goes without scale, mean and std: they say the same")
        if self.scale == 0 or 0 in self.std:
            raise ConfigError("scale and std must not be 0")

    @property
    def has_own_range(self) -> bool:
        """Whether numbers say the range."""
        return self.scale is not None or bool(self.mean or self.std)

    @property
    def known_range(self) -> Range | None:
        """What the flags say, if they do."""
        if self.has_own_range:
            scale = 1.0 if self.scale is None else self.scale
            text = f"pixel x {scale:.6g}"
            text += f", less {_listed(self.mean)}" if self.mean else ""
            text += f", by {_listed(self.std)}" if self.std else ""
            return Range(
                name="own", text=text, black=0, white=255 * scale, mean=self.mean, std=self.std
            )
        return RANGES[self.range] if self.range else None

    @property
    def known_color(self) -> ColorSpace | None:
        """What the flag says, if it does."""
        return ColorSpace(self.color) if self.color else None


def parse_number(text: str) -> float:
    """A number, or a fraction such as 1/255.

    Raises:
        ValueError: It is neither, or not finite.
    """
    try:
        above, slash, below = text.partition("/")
        value = float(above) / float(below) if slash else float(text)
    except ZeroDivisionError as error:
        raise ValueError(f"{text!r} divides by 0") from error
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite")
    return value


def parse_numbers(text: str) -> tuple[float, ...]:
    """One number, or three with commas: for red, green and blue.

    Raises:
        ValueError: It is something else.
    """
    values = tuple(parse_number(part) for part in text.split(","))
    if len(values) not in (1, 3):
        raise ValueError(f"{text!r} has {len(values)} numbers, not 1 or 3")
    return values


def _listed(values: tuple[float, ...]) -> str:
    return ",".join(f"{value:g}" for value in values)
