"""Whether a classifier is right as often as it says: reliability and expected calibration error.

Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks,
2017. The confidence of an answer is the probability of its best class; the confidences are put
into 15 bins of equal width, each open below and closed above.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The answers whose confidence is above `low` and at most `high`.

    `accuracy` and `confidence` are their means, None where there are no answers.
    """

    low: float
    high: float
    samples: int
    accuracy: float | None
    confidence: float | None


def reliability(
    confidences: NDArray[np.floating[Any]], right: NDArray[np.bool_]
) -> tuple[Bin, ...]:
    """What was claimed and what was true, by bin.

    Args:
        confidences: Shape (N,), 0 to 1.
        right: Shape (N,), whether the best class was the true one.
    """
    index = np.clip(np.ceil(confidences.astype(np.float64) * BINS).astype(int) - 1, 0, BINS - 1)
    samples = np.bincount(index, minlength=BINS)
    correct = np.bincount(index, right, minlength=BINS)
    claimed = np.bincount(index, confidences, minlength=BINS)
    return tuple(
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            samples=int(count),
            accuracy=float(correct[number] / count) if count else None,
            confidence=float(claimed[number] / count) if count else None,
        )
        for number, count in enumerate(samples)
    )


def expected_calibration_error(bins: tuple[Bin, ...]) -> float:
    """The mean distance of accuracy and confidence, each bin weighted by its samples; 0 to 1."""
    total = sum(one.samples for one in bins)
    gaps = (
        one.samples * abs(one.accuracy - one.confidence)
        for one in bins
        if one.accuracy is not None and one.confidence is not None
    )
    return sum(gaps) / total
