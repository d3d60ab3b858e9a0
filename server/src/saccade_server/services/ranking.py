"""From probabilities to the best classes."""

import numpy as np
from numpy.typing import NDArray

SHORT = 32
"""Rows up to this length are sorted as lists: NumPy's calls cost more than the sorting."""


def best_classes(probabilities: NDArray[np.float32], count: int) -> list[list[int]]:
    """Indices of the most probable classes, best first, equal ones by ascending index.

    Args:
        probabilities: Shape (N, K).
        count: 1 to K.

    Returns:
        N lists of `count` indices.
    """
    if len(probabilities) == 1 and probabilities.shape[1] <= SHORT:
        row = probabilities[0].tolist()
        # Sorting backwards keeps the order of equal ones.
        return [sorted(range(len(row)), key=row.__getitem__, reverse=True)[:count]]
    if count == 1:
        return [[index] for index in probabilities.argmax(axis=1).tolist()]
    if probabilities.shape[1] <= 8 * count:
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        rows: list[list[int]] = order.tolist()
        return rows
    # Few of many: sort only those that reach the value of the last place.
    least = -np.partition(-probabilities, count - 1, axis=1)[:, count - 1]
    result = []
    for row, bound in zip(probabilities, least, strict=True):
        # Written so that a score that is no number counts too; it sorts last.
        candidates = np.flatnonzero(~(row < bound))
        order = np.argsort(-row[candidates], kind="stable")[:count]
        result.append(candidates[order].tolist())
    return result
