"""How many images one engine call should have at most.

Batching pays where a call has a cost of its own beside that of its images. On a CPU a heavy network
may even be slower in batches, when their activations no longer fit into the caches; then requests
are better run one by one: each is answered as soon as it is done.
"""

import time
from collections.abc import Callable, Iterable

import numpy as np

from saccade_server.artifact import Artifact
from saccade_server.engines import Engine

HEAVY_S = 0.002
"""Below this cost of one image, batches save more around a call than they can lose inside."""

GAIN = 1.03
"""By how much images must be cheaper in a larger batch for it to be worth the wait."""

TRIALS = 3


def find_batch_size(engine: Engine, artifact: Artifact, most: int) -> int:
    """The largest batch that is worth forming, by trying sizes 1, 4, 16, ... on blank images.

    Args:
        engine: Warm.
        artifact: Whose graph it runs.
        most: Never more than this.

    Raises:
        EngineError: The engine failed.
    """
    best, size = 1, 1
    cost_s = _cost_s(engine, artifact, 1)
    if cost_s < HEAVY_S:
        return most
    while (size := 4 * size) <= most:
        larger_s = _cost_s(engine, artifact, size)
        if larger_s * GAIN > cost_s:
            return best
        best, cost_s = size, larger_s
    return most


def warm_up(
    engine: Engine,
    artifact: Artifact,
    sizes: Iterable[int],
    *,
    sleep: Callable[[float], None] | None = None,
) -> None:
    """Runs batches of blank images, so that no request pays for an engine's first call of a size.

    Args:
        engine: To warm.
        artifact: Whose graph it runs.
        sizes: Images of each batch.
        sleep: Gives the processors back for as long as each call took; None: nobody needs them.

    Raises:
        EngineError: The engine failed.
    """
    for size in sizes:
        started = time.perf_counter()
        engine.predict(np.zeros((size, *artifact.input.shape), artifact.input.dtype))
        if sleep is not None:
            sleep(time.perf_counter() - started)


def _cost_s(engine: Engine, artifact: Artifact, size: int) -> float:
    """Seconds for each image of a call of that size, the best of a few calls."""
    images = np.zeros((size, *artifact.input.shape), artifact.input.dtype)
    seconds = []
    for _ in range(TRIALS):
        started = time.perf_counter()
        engine.predict(images)
        seconds.append(time.perf_counter() - started)
    return min(seconds) / size
