"""What a person should know about a folder's pictures before a network is trained on them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.class_folders import shown
from saccade_models.datasets.inventory import Inventory, Tell
from saccade_models.datasets.resemblance import members_of_several

SHOWN_CLASSES = 20
SHOWN_GROUPS = 5
IMBALANCE = 3
"""Times the images of the smallest class from which on the largest is called large."""

Chosen = Mapping[str, NDArray[np.int64]]
"""Positions in the inventory, by split."""


def tell_counts(inventory: Inventory, chosen: Chosen, tell: Tell) -> None:
    """How many pictures each split and each class has, and whether that is uneven."""
    sizes = ", ".join(f"{len(positions):,} {split}" for split, positions in chosen.items())
    tell(f"{len(inventory.files):,} images: {sizes}")
    trained = inventory.labels[chosen["train"]]
    counts = np.bincount(trained, minlength=len(inventory.class_labels))
    order = np.argsort(-counts, kind="stable")
    named = [f"{inventory.class_labels[index]} {counts[index]:,}" for index in order]
    rest = len(named) - SHOWN_CLASSES
    more = f", and {rest:,} smaller classes" if rest > 0 else ""
    tell(f"images of a class in train: {', '.join(named[:SHOWN_CLASSES])}{more}")
    ratio = counts.max() / max(1, counts.min())
    if ratio >= IMBALANCE:
        tell(
            f"the classes are uneven: {named[0]} is {ratio:.0f} times {named[-1]}; --class-weights "
            "balanced makes classes count alike"
        )


def tell_alike(inventory: Inventory, chosen: Chosen, tell: Tell) -> None:
    """Which pictures are nearly the same, where that makes figures flatter or training confused."""
    split_of = np.empty(len(inventory.files), object)
    for split, positions in chosen.items():
        split_of[positions] = split
    several = members_of_several(inventory.groups)
    leaks = [group for group in several if len(set(split_of[group])) > 1]
    torn = [group for group in several if len(set(inventory.labels[group])) > 1]
    leaked = sum(map(len, leaks))
    if kept := sum(map(len, several)) - leaked:
        tell(f"{kept:,} images are nearly the same as others, and in the same split as those")
    if leaks:
        tell(
            f"warning: {leaked:,} images are nearly the same as images of another split, which "
            f"makes figures too good: {_pairs(inventory, leaks, split_of)}"
        )
    if torn:
        tell(
            f"warning: nearly the same images are in different classes ({len(torn):,} "
            f"{'case' if len(torn) == 1 else 'cases'}): {_pairs(inventory, torn, inventory.labels)}"
        )


def _pairs(
    inventory: Inventory, groups: list[NDArray[np.int64]], kinds: NDArray[np.generic]
) -> str:
    """One pair of each of some groups, of different kinds."""
    pairs = []
    for group in groups[:SHOWN_GROUPS]:
        other = next(position for position in group if kinds[position] != kinds[group[0]])
        names = (shown(inventory.files[position]) for position in (group[0], other))
        pairs.append(" = ".join(names))
    return f"{', '.join(pairs)}{', ...' if len(groups) > SHOWN_GROUPS else ''}"
