"""How pixels become the numbers that a graph was trained on: ranges and orders of the colors."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from saccade.v1 import manifest_pb2
from saccade_server.artifact import ColorSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """value = (black + pixel (white - black) / 255 - mean) / std.

    Attributes:
        name: As `--range` takes it; "own" for one put together from numbers.
        text: What a person reads.
        mean: None, or one for each of red, green, blue; or a single one, for gray or all of them.
        std: The same.
    """

    name: str
    text: str
    black: float
    white: float
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def fits(self, color_space: ColorSpace) -> bool:
        """Whether there is a number for each channel."""
        return all(len(values) in (0, 1, color_space.channels) for values in (self.mean, self.std))


# How networks were trained by their authors: the modes "tf", "torch" and "caffe" of
# keras.applications.imagenet_utils.preprocess_input have the same numbers.
RANGES: Mapping[str, Range] = MappingProxyType(
    {
        known.name: known
        for known in [
            Range(name="pixels", text="0 to 255", black=0, white=255),
            Range(name="unit", text="0 to 1", black=0, white=1),
            Range(name="signed", text="-1 to 1", black=-1, white=1),
            Range(
                name="torch",
                text="0 to 1, less ImageNet's mean, by its deviation",
                black=0,
                white=1,
                mean=(0.485, 0.456, 0.406),
                std=(0.229, 0.224, 0.225),
            ),
            Range(
                name="caffe",
                text="0 to 255, less ImageNet's mean",
                black=0,
                white=255,
                mean=(123.68, 116.779, 103.939),
            ),
        ]
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """One way from a picture to a graph's numbers."""

    range: Range
    color_space: ColorSpace

    def __str__(self) -> str:
        return f"{self.range.name} {self.color_space.value}"

    @property
    def pixel_range(self) -> manifest_pb2.PixelRange:
        """For the manifest: mean and std in the order of the color space."""
        return manifest_pb2.PixelRange(
            black=self.range.black,
            white=self.range.white,
            mean=self._by_channel(self.range.mean),
            std=self._by_channel(self.range.std),
        )

    def _by_channel(self, values: tuple[float, ...]) -> list[float]:
        if len(values) == 1:
            return list(values) * self.color_space.channels
        return list(values[::-1] if self.color_space is ColorSpace.BGR else values)
