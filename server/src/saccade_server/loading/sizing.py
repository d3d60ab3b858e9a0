"""How a graph is best run: images of one engine call at most, and whether calls go side by side.

Batching pays where a call has a cost of its own beside that of its images. On a CPU a heavy network
may even be slower in batches, when their activations no longer fit into the caches; then requests
are better run one by one: each is answered as soon as it is done.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from saccade_server.artifact import Artifact
from saccade_server.engines import Engine

HEAVY_S = 0.002
"""Below this cost of one image, batches save more around a call than they can lose inside; and
below this cost of a batch, several engines lose more to the interpreter lock than they gain."""

ENOUGH = 8
"""Images of a call, of a graph that is not heavy, in which most of its own cost is shared out."""

ENOUGH_S = 0.0005
"""What such a call takes at least, where batches need not be full: it has a cost outside, too."""

CLEAR_GAIN = 1.25
"""By how much images must be cheaper in a larger batch for it to be worth the wait: until all of it
is done none of it is answered. Less is also what other work on the machine makes of equal costs."""

TRIALS = 7
"""Calls of one size."""

ROUNDS = 4
"""In which sizes take turns, where they are compared, with two calls each."""

GLANCES = 2
"""Calls that show on which side of `HEAVY_S` a full batch is: it is seldom near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What was found.

    Attributes:
        batch_images: Of one call, at most.
        enough_images: Of one call for small requests: more are not worth their wait.
        heavy: Whether calls of full batches are better run side by side; see `HEAVY_S`.
    """

    batch_images: int
    enough_images: int
    heavy: bool


def find_sizing(engine: Engine, artifact: Artifact, most: int) -> Sizing:
    """The largest batch that is worth forming, by trying sizes 1, 4, 16, ... on blank images.

    Args:
        engine: Warm.
        artifact: Whose graph it runs.
        most: Never more than this.

    Raises:
        EngineError: The engine failed.
    """
    one_s = _cost_s(engine, artifact, TRIALS, 1)
    if one_s < HEAVY_S:
        enough = min(ENOUGH, most)
        # What slows some calls of one size down must not make full batches look cheaper: the small
        # ones are tried more often, as they take less.
        enough_s = _cost_s(engine, artifact, TRIALS, enough)
        full_s = _cost_s(engine, artifact, GLANCES, most)
        if enough_s > full_s * CLEAR_GAIN or enough_s * enough < ENOUGH_S:
            enough = most
        heavy = full_s * most >= HEAVY_S
        return Sizing(batch_images=most, enough_images=enough, heavy=heavy)
    size = 1
    while 4 * size <= most:
        smaller_s, larger_s = _compare_s(engine, artifact, size, 4 * size)
        if larger_s * CLEAR_GAIN > smaller_s:
            return Sizing(batch_images=size, enough_images=size, heavy=True)
        size *= 4
    return Sizing(batch_images=most, enough_images=most, heavy=True)


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


def _compare_s(engine: Engine, artifact: Artifact, *sizes: int) -> list[float]:
    """Seconds for each image of a call of these sizes, the best of a few calls.

    In turns, because other work on the machine makes some calls slow: they must not be those of one
    size. Two calls in a row, because the first one of another size also prepares the graph for it,
    which a graph that runs images one by one never has to.
    """
    rounds = [[_cost_s(engine, artifact, 2, size) for size in sizes] for _ in range(ROUNDS)]
    return [min(costs) for costs in zip(*rounds, strict=True)]


def _cost_s(engine: Engine, artifact: Artifact, calls: int, size: int) -> float:
    """Seconds for each image of a call of this size, the best of so many."""
    images = np.zeros((size, *artifact.input.shape), artifact.input.dtype)
    best = float("inf")
    for _ in range(calls):
        started = time.perf_counter()
        engine.predict(images)
        best = min(best, (time.perf_counter() - started) / size)
    return best
