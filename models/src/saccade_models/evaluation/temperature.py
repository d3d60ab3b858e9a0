"""Temperature scaling: one number by which logits are divided so that confidences come true.

Source: Guo et al., On calibration of modern neural networks, 2017. It never changes which class is
best. It is fitted on the validation split; the test split then shows whether it helped.
"""

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Split
from saccade_models.errors import ModelsError
from saccade_models.evaluation.reading import read_batches

if TYPE_CHECKING:
    import keras

MIN_SAMPLES = 50
"""Fewer tell too little about how often a confident answer is wrong."""

LOWEST, HIGHEST = 0.1, 10.0
"""Beyond these something else is wrong than the confidence."""

HALVINGS = 40
MAX_LOGITS = 1 << 25
"""Of a validation split with more, evenly chosen images are taken: 128 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """What logits are divided by, above 0, and in words where that comes from."""

    value: float
    reason: str


UNSCALED = Temperature(value=1.0, reason="the artifact tells none")


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Temperature:
    """The temperature with the smallest mean cross-entropy.

    The loss is convex in 1/T, so its slope changes sign at most once, and bisection finds where.
    Where it never does, because all images or hardly any are classified rightly, no temperature is
    best: 1 or a limit is taken, and the reason says so.

    Args:
        logits: Shape (N, K).
        labels: Shape (N,), class indices.
    """
    count = len(labels)
    if count < MIN_SAMPLES:
        return _keep(f"{count} validation images are too few, at least {MIN_SAMPLES} are needed")
    if np.all(logits.argmax(axis=1) == labels):
        return _keep(f"all {count:,} validation images are classified rightly, no value is best")
    rows = logits.astype(np.float64)
    rows -= rows.max(axis=1, keepdims=True)
    if _slope(rows, labels, LOWEST) < 0:
        return _clamp(LOWEST)
    if _slope(rows, labels, HIGHEST) > 0:
        return _clamp(HIGHEST)
    low, high = log(LOWEST), log(HIGHEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _slope(rows, labels, exp(middle)) > 0:
            low = middle
        else:
            high = middle
    return Temperature(
        value=exp((low + high) / 2), reason=f"fitted on {count:,} images of the validation split"
    )


def read_logits(
    classifier: "keras.Model", split: Split
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A network's answers to a split, at most MAX_LOGITS numbers, and the truth.

    Raises:
        ModelsError: An answer is not a number.
    """
    import tensorflow as tf

    signature = [tf.TensorSpec(classifier.input_shape, tf.float32)]
    run = tf.function(lambda pixels: classifier(pixels, training=False), input_signature=signature)
    most = max(1, MAX_LOGITS // classifier.output_shape[-1])
    positions = np.arange(0, len(split), -(-len(split) // most))
    parts = [
        (run(tf.constant(images, tf.float32)).numpy(), labels)
        for images, labels in read_batches(split, positions)
    ]
    logits = np.concatenate([part for part, _ in parts])
    if not np.isfinite(logits).all():
        raise ModelsError(
            "the trained network answers with what is no number: try a lower learning-rate"
        )
    return logits, np.concatenate([labels for _, labels in parts])


def soften(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """The probabilities of the logits divided by `temperature`; below 1 it sharpens them.

    Logits are known from probabilities up to a constant, which softmax forgets. `1 / T` undoes `T`.

    Args:
        probabilities: Shape (N, K); each row sums to 1.
        temperature: Above 0.
    """
    logits = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return result


def _slope(rows: NDArray[np.float64], labels: NDArray[np.int64], temperature: float) -> float:
    """How the loss changes with 1/T: the mean of the expected logit minus the true class's.

    Above 0 at a temperature that is too low.
    """
    powers = np.exp(rows / temperature)
    expected = (powers * rows).sum(axis=1) / powers.sum(axis=1)
    return float(np.mean(expected - rows[np.arange(len(labels)), labels]))


def _keep(why: str) -> Temperature:
    return Temperature(value=1.0, reason=f"kept at 1: {why}")


def _clamp(value: float) -> Temperature:
    return Temperature(
        value=value, reason=f"held at its limit {value:g}: the confidences say little here"
    )
