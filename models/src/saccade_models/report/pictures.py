"""Pictures inside the page, as data: no file beside it is needed."""

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_SIDE = 160
"""Of a mistake's picture; larger ones are shrunk."""

SMALL = 64
"""Up to this side PNG is as small as JPEG, and every pixel is shown."""

MAX_MAP_SIDE = 1000
FAINTEST = 70
RIGHT, WRONG = (37, 99, 184), (217, 98, 15)


def thumbnail(pixels: NDArray[np.uint8]) -> str:
    """An image of shape (H, W, 1) or (H, W, 3) as a data URI, shrunk to MAX_SIDE."""
    image = Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels)
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    small = max(image.size) <= SMALL
    return _data_uri(image, "PNG" if small else "JPEG")


def heat_map(matrix: NDArray[np.int64]) -> str:
    """A confusion matrix as a data URI of a PNG, a pixel each cell, transparent where it is 0.

    The opacity grows with the square root of the cell's share of its row; rare mistakes show too.
    Neighbouring classes are put together where there are more than MAX_MAP_SIDE.

    Args:
        matrix: Shape (K, K): rows are the truth.
    """
    group = -(-len(matrix) // MAX_MAP_SIDE)
    starts = np.arange(0, len(matrix), group)
    counts = np.add.reduceat(np.add.reduceat(matrix, starts, axis=0), starts, axis=1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    pixels = np.zeros((*counts.shape, 4), np.uint8)
    pixels[..., :3] = WRONG
    pixels[np.arange(len(counts)), np.arange(len(counts)), :3] = RIGHT
    pixels[..., 3] = np.where(counts, FAINTEST + (255 - FAINTEST) * np.sqrt(shares), 0)
    return _data_uri(Image.fromarray(pixels), "PNG")


def _data_uri(image: Image.Image, kind: str) -> str:
    buffer = BytesIO()
    image.save(buffer, kind, **({"quality": 85} if kind == "JPEG" else {"optimize": True}))
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{data}"
