"""The usable pictures of a folder, and what is wrong with the others."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.class_folders import ALL, ClassFiles, list_class_files
from saccade_models.datasets.survey import survey
from saccade_models.errors import ModelsError

MIN_IMAGES = 3
"""Of a class: one for each split."""

MANY_FILES = 10_000
"""From which on a person should know what takes so long: 100 to 1,000 files a second."""

SHOWN = 5
Tell = Callable[[str], None]
"""Takes a line for the person at the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inventory:
    """N pictures.

    Attributes:
        files: Relative to the data set's folder.
        labels: Shape (N,), class indices.
        parts: Shape (N,), the published part that each is in, or ALL.
        groups: Shape (N,), the same number for pictures that are nearly the same.
        digests: Shape (N,), SHA-256 of the files.
        class_labels: By index, sorted.
    """

    files: Sequence[str]
    labels: NDArray[np.int64]
    parts: NDArray[np.str_]
    groups: NDArray[np.int64]
    digests: NDArray[np.bytes_]
    class_labels: tuple[str, ...]


def take_inventory(root: Path, parts: dict[str, Path], tell: Tell) -> Inventory:
    """Lists the files of all parts and looks at each of them.

    Raises:
        ModelsError: A folder can't be read, a part has other classes than the first one, or there
            are too few pictures of a class.
    """
    listed = {part: list_class_files(root, folder) for part, folder in parts.items()}
    class_labels = _agree(root, listed)
    files = [name for found in listed.values() for name in found.files]
    if len(files) >= MANY_FILES:
        tell(f"looks at {len(files):,} files first")
    seen = survey(root, files)
    _tell_ignored(listed.values(), tell)
    _tell_damaged(seen.damaged, tell)
    classes = np.array([label for found in listed.values() for label in found.classes])
    of_part = np.repeat([*listed], [len(found.files) for found in listed.values()])
    inventory = Inventory(
        files=[files[position] for position in seen.good],
        labels=np.searchsorted(class_labels, classes[seen.good]) if files else np.zeros(0, int),
        parts=of_part[seen.good],
        groups=seen.groups,
        digests=seen.digests,
        class_labels=class_labels,
    )
    _check_counts(root, inventory)
    return inventory


def _agree(root: Path, listed: dict[str, ClassFiles]) -> tuple[str, ...]:
    """The class labels, which are those of all images or of the training part."""
    class_labels = next(iter(listed.values())).labels
    for part, found in listed.items():
        strangers = sorted(set(found.labels) - set(class_labels))
        if strangers:
            raise ModelsError(
                f"{root}: the {part} part has classes that train has not: {_some(strangers)}"
            )
    return class_labels


def _check_counts(root: Path, inventory: Inventory) -> None:
    """Looks at what there is to train on."""
    trained = inventory.labels[np.isin(inventory.parts, [ALL, "train"])]
    counts = np.bincount(trained, minlength=len(inventory.class_labels))
    few = [
        f"{label} ({count})"
        for label, count in zip(inventory.class_labels, counts, strict=True)
        if count < MIN_IMAGES
    ]
    if few:
        raise ModelsError(
            f"{root} has too few images, a class needs at least {MIN_IMAGES} that can be read: "
            f"{_some(few)}"
        )


def _tell_ignored(listed: Iterable[ClassFiles], tell: Tell) -> None:
    ignored = sum((found.ignored for found in listed), Counter[str]())
    if ignored:
        kinds = [f"{count:,} {suffix}" for suffix, count in ignored.most_common()]
        tell(f"ignored {ignored.total():,} files that are not named as images: {_some(kinds)}")


def _tell_damaged(damaged: list[tuple[str, str]], tell: Tell) -> None:
    if damaged:
        tell(f"skipped {len(damaged):,} {'file' if len(damaged) == 1 else 'files'}, unreadable:")
        for name, reason in damaged[:SHOWN]:
            tell(f"  {name}: {reason}")
        if len(damaged) > SHOWN:
            tell(f"  ... and {len(damaged) - SHOWN:,} more")


def _some(texts: list[str]) -> str:
    return f"{', '.join(texts[:SHOWN])}{', ...' if len(texts) > SHOWN else ''}"
