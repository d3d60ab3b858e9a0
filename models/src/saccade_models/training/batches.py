"""The order in which images are trained on."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Split

Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]


def shuffled_batches(split: Split, size: int, *, seed: int, epoch: int) -> Iterator[Batch]:
    """All images once, in an order that hangs on seed and epoch alone; the last batch is smaller.

    A training that goes on after an interruption meets the images that it would have met.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(split))
    for start in range(0, len(split), size):
        chosen = order[start : start + size]
        yield split.images[chosen], split.labels[chosen]


def batches(split: Split, size: int) -> Iterator[Batch]:
    """All images once, in their order; the last batch is smaller."""
    for start in range(0, len(split), size):
        yield split.images[start : start + size], split.labels[start : start + size]
