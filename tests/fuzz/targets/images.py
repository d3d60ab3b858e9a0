"""Image files: our own part of the decoding, and the parts of Pillow that are Python."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.hostile_images import seeds as pictures
from fixtures.pictures import input_spec
from saccade_server.artifact import ColorSpace
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import ImageLimits, decode_image

from ..catalogue import Check

_SPECS = (input_spec(16, 12), input_spec(8, 8, ColorSpace.GRAY), input_spec(3, 5, ColorSpace.BGR))
_LIMITS = ImageLimits(max_pixels=100_000)


def seeds() -> list[bytes]:
    """Small images of all kinds."""
    return list(pictures().values())


@contextmanager
def opened() -> Iterator[Check]:
    """Pillow warns of some files; in the server that is switched off, too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield check


def check(data: bytes) -> None:
    """Any bytes become an image of the graph's shape, or a text."""
    for spec in _SPECS:
        try:
            pixels = decode_image(data, spec, _LIMITS)
        except InvalidArgument:
            continue
        assert spec.shape == pixels.shape, pixels.shape
