"""The interface of an engine."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from saccade_server.errors import EngineError


class Engine(Protocol):
    """A loaded graph.

    `predict` is called by one thread at a time. An engine that failed one call is used again.
    """

    @property
    def name(self) -> str:
        """The kind: "mnn", "litert" or "tensorflow"."""

    @property
    def bounded(self) -> bool:
        """Whether each call is known to end: the graph has no loops."""

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """Class probabilities of one batch.

        Args:
            images: Shape (N, H, W, C), N >= 1, the graph's value range; cast to its data type.

        Returns:
            Shape (N, K); each row sums to 1.

        Raises:
            EngineError: The runtime failed, or gave another shape; the engine stays usable.
        """

    def close(self) -> None:
        """Frees the graph's memory. No call may be under way or follow."""


def check_shape(scores: NDArray[np.float32], images: int, classes: int) -> None:
    """Refuses an output that is not one row of scores for each image.

    Raises:
        EngineError: The shape is another one.
    """
    if scores.shape != (images, classes):
        raise EngineError(
            f"the graph gave the shape {scores.shape} for {images} images of {classes} classes"
        )


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities from logits, row by row, without overflow.

    Args:
        logits: Shape (N, K).
    """
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return result
