"""Any folder of images with a sub-folder a class, as a data set."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.class_folders import ALL, find_parts
from saccade_models.datasets.division import divide
from saccade_models.datasets.form import PictureForm
from saccade_models.datasets.inventory import Inventory, Tell, take_inventory
from saccade_models.datasets.pictures import DecodedCache, Pictures
from saccade_models.datasets.remarks import tell_alike, tell_counts
from saccade_models.datasets.splits import TEST_FRACTION, VALIDATION_FRACTION, Dataset, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSettings:
    """How a folder is read.

    Attributes:
        form: What each picture becomes.
        tell: Takes what the person should know about the pictures.
        cache_bytes: Of decoded pictures that are kept in memory.
    """

    form: PictureForm = field(default_factory=PictureForm)
    tell: Tell = lambda _: None
    cache_bytes: int = 0


def load_folder(root: Path, settings: FolderSettings) -> Dataset:
    """Lists, looks through and divides a folder; its files are decoded when they are needed.

    Its sub-folders are the classes; or `train`, `test` and `validation`, with the classes in them.
    A part that is not there is taken from the others' images of `train`.

    Raises:
        ModelsError: The folder can't be read, or there are too few pictures of a class.
    """
    tell = settings.tell
    inventory = take_inventory(root, find_parts(root), tell)
    chosen = divide_inventory(inventory)
    tell_counts(inventory, chosen, tell)
    tell_alike(inventory, chosen, tell)
    cache = DecodedCache(settings.cache_bytes)

    def split(name: str) -> Split:
        positions = chosen[name]
        files = [inventory.files[position] for position in positions]
        return Split(
            images=Pictures(root, files, inventory.digests[positions], settings.form, cache),
            labels=inventory.labels[positions],
        )

    return Dataset(
        name=root.resolve().name or "folder",
        class_labels=inventory.class_labels,
        train=split("train"),
        validation=split("validation"),
        test=split("test"),
    )


def divide_inventory(inventory: Inventory) -> dict[str, NDArray[np.int64]]:
    """Positions by split: the published parts as they are, what is missing taken from `train`.

    It hangs on the pictures alone. Pictures that are nearly the same stay together where they are
    not published apart.
    """
    chosen = {
        part: np.flatnonzero(inventory.parts == part)
        for part in ("train", "validation", "test")
        if part in inventory.parts
    }
    fractions = {"validation": VALIDATION_FRACTION, "test": TEST_FRACTION}
    missing = [part for part in fractions if part not in chosen]
    source = np.flatnonzero(np.isin(inventory.parts, [ALL, "train"]))
    train, *taken = divide(
        inventory.labels[source],
        inventory.groups[source],
        [fractions[part] for part in missing],
    )
    chosen |= {"train": source[train]}
    chosen |= {part: source[positions] for part, positions in zip(missing, taken, strict=True)}
    return {part: chosen[part] for part in ("train", "validation", "test")}
