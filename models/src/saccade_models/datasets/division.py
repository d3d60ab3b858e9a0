"""Divides pictures of which some are nearly the same."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.resemblance import members_of_several
from saccade_models.datasets.splits import SPLIT_SEED


def divide(
    labels: NDArray[np.int64], groups: NDArray[np.int64], fractions: Sequence[float]
) -> list[NDArray[np.int64]]:
    """Parts of the given sizes, each class alike, with every group in one part.

    The same arguments are always divided in the same way. Of a class with enough pictures each
    part gets at least one. Groups of several pictures go first, each to the part with the most
    room left for its classes; single pictures fill what is then missing. A group of more than half
    of a class can't be in one part and the class in all: its pictures count as single ones.

    Args:
        labels: Shape (N,), class indices.
        groups: Shape (N,), from `group_alike`.
        fractions: Of the parts after the first, which takes the rest.

    Returns:
        Positions, shuffled; the first part, then one for each fraction.
    """
    random = np.random.default_rng(SPLIT_SEED)
    room = _room(labels, fractions)
    part_of = np.full(len(labels), -1)
    several = _groups_to_keep(labels, groups)
    for group in sorted((several[i] for i in random.permutation(len(several))), key=len)[::-1]:
        counts = np.bincount(labels[group], minlength=room.shape[1])
        part = int(np.argmax(np.minimum(room, counts).sum(axis=1) + room @ (counts > 0) * 1e-6))
        part_of[group] = part
        room[part] = np.maximum(room[part] - counts, 0)
    for label in range(room.shape[1]):
        free = random.permutation(np.flatnonzero((labels == label) & (part_of < 0)))
        for part in [*range(1, len(room)), 0]:
            count = len(free) if part == 0 else room[part, label]
            part_of[free[:count]] = part
            free = free[count:]
    return [random.permutation(np.flatnonzero(part_of == part)) for part in range(len(room))]


def _room(labels: NDArray[np.int64], fractions: Sequence[float]) -> NDArray[np.int64]:
    """How many pictures of each class each part takes; shape (parts, classes)."""
    counts = np.bincount(labels)
    later = [np.maximum(np.round(counts * part), counts > len(fractions)) for part in fractions]
    return np.stack([counts - sum(later), *later]).astype(np.int64)


def _groups_to_keep(
    labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    half = np.bincount(labels) / 2
    return [
        group
        for group in members_of_several(groups)
        if np.all(np.bincount(labels[group], minlength=len(half)) <= half)
    ]
