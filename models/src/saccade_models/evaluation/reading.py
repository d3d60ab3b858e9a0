"""A split as batches: no more of it is in memory than one of them."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Split
from saccade_server.artifact import ColorSpace, InputSpec
from saccade_server.imaging import fit_pixels, graph_values

BATCH_IMAGES = 256
MAX_BATCH_VALUES = 1 << 22
"""Of the pixels of a batch: large images, which cost a network much memory, come in fewer."""


def read_batches(
    split: Split, positions: NDArray[np.int64], *, image_values: int = 0
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Images as they are in the split, and their class indices.

    Args:
        split: what to read.
        positions: which images of it, at least one.
        image_values: how many values an image will have for the network, if more than here.
    """
    size = batch_images(max(math.prod(split.images.shape[1:]), image_values))
    for start in range(0, len(positions), size):
        chosen = positions[start : start + size]
        yield read_images(split, chosen), split.labels[chosen]


def batch_images(values: int) -> int:
    """How many images of so many values a network is given at once where it does not learn."""
    return max(1, min(BATCH_IMAGES, MAX_BATCH_VALUES // values))


def read_images(split: Split, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Those at the positions: shape (N, H, W, C), gray or RGB, values 0 to 255."""
    return split.images[positions]


def fit_batch(images: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8 | np.float32]:
    """Images as a graph takes them, brought to its size and colours by the server's own rule.

    Args:
        images: Shape (N, H, W, C), gray or RGB, values 0 to 255.
        spec: What the graph takes.

    Returns:
        Shape (N, *spec.shape), of the graph's data type and value range.
    """
    if images.shape[1:] != spec.shape or spec.color_space is ColorSpace.BGR:
        shape = (images.shape[1], images.shape[2], images.shape[3])
        images = np.stack([fit_pixels(image.tobytes(), shape, spec) for image in images])
    batch: NDArray[np.uint8 | np.float32] = graph_values(images, spec).astype(
        spec.dtype, copy=False
    )
    return batch
