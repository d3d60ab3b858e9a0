"""How good an artifact is on labelled images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Split
from saccade_server.engines import Engine

BATCH_IMAGES = 256
# A probability that underflowed to 0 must not make the mean loss infinite.
SMALLEST = np.finfo(np.float32).tiny


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured on one split.

    `correct` counts the samples whose best class is right; `loss` is the mean cross-entropy, in
    nats.
    """

    samples: int
    correct: int
    loss: float

    @property
    def accuracy(self) -> float:
        """The fraction of samples whose best class is right."""
        return self.correct / self.samples


def evaluate(engine: Engine, split: Split) -> Figures:
    """Runs a graph that takes pixels 0 to 255 as float32 over a split."""
    batches = range(0, len(split), BATCH_IMAGES)
    parts = [
        engine.predict(split.images[start : start + BATCH_IMAGES].astype(np.float32))
        for start in batches
    ]
    return measure(np.concatenate(parts), split.labels)


def measure(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Figures:
    """Compares predictions with the truth.

    Args:
        probabilities: shape (N, K), N at least 1.
        labels: shape (N,), class indices.
    """
    of_truth = probabilities[np.arange(len(labels)), labels]
    return Figures(
        samples=len(labels),
        correct=int(np.sum(probabilities.argmax(axis=1) == labels)),
        loss=float(-np.mean(np.log(np.maximum(of_truth, SMALLEST)))),
    )
