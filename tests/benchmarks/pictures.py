"""The pictures that are sent: photographs from a folder, or pictures made to be like them."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 500, 375
"""Width and height of a made picture: those of a typical photograph on the web."""

QUALITY = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """JPEG files.

    Attributes:
        source: For the report: where they are from.
    """

    files: tuple[bytes, ...]
    source: str


def read_pictures(folder: Path, count: int) -> Pictures:
    """A few of the JPEG files below a folder, spread over their sizes.

    Raises:
        OSError: There are too few.
    """
    paths = sorted(folder.rglob("*.jpg"), key=lambda path: (path.stat().st_size, path.name))
    if len(paths) < count:
        raise OSError(f"{folder} has {len(paths)} JPEG files, {count} are needed")
    # The middle of each of `count` equal shares.
    chosen = [paths[(2 * i + 1) * len(paths) // (2 * count)] for i in range(count)]
    return Pictures(
        files=tuple(path.read_bytes() for path in chosen), source=f"photographs of {folder.name}"
    )


def make_pictures(count: int) -> Pictures:
    """Pictures with structure at all scales and some grain, as photographs have.

    The same at each call.
    """
    return Pictures(files=tuple(map(_make_jpeg, range(count))), source="made pictures")


def _make_jpeg(seed: int) -> bytes:
    random = np.random.default_rng(seed)
    total = np.zeros((SIZE[1], SIZE[0], 3))
    for level in range(1, 8):
        cells = 2**level
        noise = Image.fromarray(random.integers(0, 256, (cells, cells, 3), np.uint8))
        scaled = noise.resize(SIZE, Image.Resampling.BICUBIC)
        # Amplitude falls with frequency, about as in nature.
        total += (np.asarray(scaled, np.float64) - 128) / level
    total += random.normal(0, 4, total.shape)
    buffer = io.BytesIO()
    pixels = np.clip(total + 128, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
