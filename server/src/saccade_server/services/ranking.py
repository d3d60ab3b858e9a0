"""From probabilities to the best classes."""

import math

import numpy as np
from numpy.typing import NDArray

SHORT = 32
"""Rows up to this length are sorted as lists: NumPy's calls cost more than the sorting."""

_TAKEN = -math.inf


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
    return [_pick(row, count) for row in probabilities]


def _pick(row: NDArray[np.float32], count: int) -> list[int]:
    """Few of many: the best one, so many times. NumPy finds it in a fraction of a sort's time."""
    left = row.copy()
    picked = []
    for _ in range(count):
        index = int(left.argmax())  # The first of equal ones.
        if not left.item(index) > _TAKEN:
            # A score that is no number counts too; it sorts last.
            best: list[int] = np.argsort(-row, kind="stable")[:count].tolist()
            return best
        picked.append(index)
        left[index] = _TAKEN
    return picked
