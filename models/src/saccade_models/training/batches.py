"""The order in which images are trained on, and the reading of them ahead of their turn."""

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Split
from saccade_models.evaluation.reading import batch_images

Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]

AHEAD = 2
"""Batches that are read while one is trained on. More would only take memory."""


def shuffled_batches(split: Split, size: int, *, seed: int, epoch: int) -> Iterator[Batch]:
    """All images once, in an order that hangs on seed and epoch alone; the last batch is smaller.

    A training that goes on after an interruption meets the images that it would have met.
    """
    return _read(split, np.random.default_rng([seed, epoch]).permutation(len(split)), size)


def batches(split: Split) -> Iterator[Batch]:
    """All images once, in their order, as many at a time as a network takes that does not learn."""
    return _read(split, np.arange(len(split)), batch_images(math.prod(split.images.shape[1:])))


def _read(split: Split, order: NDArray[np.int64], size: int) -> Iterator[Batch]:
    """Batches of the images at the positions, at most AHEAD of them read and not yet taken."""

    def take(chosen: NDArray[np.int64]) -> Batch:
        return split.images[chosen], split.labels[chosen]

    coming: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as reader:
        try:
            for start in range(0, len(order), size):
                coming.append(reader.submit(take, order[start : start + size]))
                if len(coming) > AHEAD:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            # Whoever stops early does not wait for what nobody will look at.
            for batch in coming:
                batch.cancel()
