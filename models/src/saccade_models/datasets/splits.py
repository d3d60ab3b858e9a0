"""Labelled images and their division into training, validation and test."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.pictures import Pictures
from saccade_models.errors import ModelsError

VALIDATION_FRACTION = 0.16
TEST_FRACTION = 0.2
# Not the seed of a training: every training on a data set meets the same test split.
SPLIT_SEED = 0


class Images(Protocol):
    """N images, values 0 to 255: an array, or what reads as many as it is asked for.

    `images[:]` takes all of them into memory, which only small data sets allow.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """N, height, width, channels."""

    def __getitem__(self, positions: slice | NDArray[np.int64], /) -> NDArray[np.uint8]:
        """Those at the positions: shape (n, H, W, C)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Labelled images.

    `images` has shape (N, H, W, C) and values 0 to 255; `labels` has shape (N,) and holds class
    indices from 0.
    """

    images: Images
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> bytes:
        """Stands for all images and labels, in their order."""
        digest = hashlib.sha256(np.ascontiguousarray(self.labels).data)
        if isinstance(self.images, Pictures):
            digest.update(self.images.digest())
        else:
            digest.update(np.ascontiguousarray(self.images[:]).data)
        return digest.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set, divided.

    `train` fits the weights and `validation` serves every choice; `test` is measured once, at the
    end, and chooses nothing.
    """

    name: str
    class_labels: tuple[str, ...]
    train: Split
    validation: Split
    test: Split

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        _, height, width, channels = self.train.images.shape
        return height, width, channels


def split_stratified(
    images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> tuple[Split, Split, Split]:
    """Divides into 64 % training, 16 % validation and 20 % test, each class alike.

    The same arrays are always divided in the same way. Each part is shuffled.
    """
    from sklearn.model_selection import train_test_split

    order = np.arange(len(labels))
    rest, test = train_test_split(
        order, test_size=TEST_FRACTION, stratify=labels, random_state=SPLIT_SEED
    )
    train, validation = train_test_split(
        rest,
        test_size=VALIDATION_FRACTION / (1 - TEST_FRACTION),
        stratify=labels[rest],
        random_state=SPLIT_SEED,
    )
    parts = (Split(images=images[part], labels=labels[part]) for part in (train, validation, test))
    return next(parts), next(parts), next(parts)


def split_off_validation(split: Split, count: int) -> tuple[Split, Split]:
    """Parts `count` images from a published training split, each class alike.

    The same split is always parted in the same way. Both parts are shuffled.

    Returns:
        Training and validation.

    Raises:
        ModelsError: There are too few images.
    """
    from sklearn.model_selection import train_test_split

    try:
        train, validation = train_test_split(
            np.arange(len(split)), test_size=count, stratify=split.labels, random_state=SPLIT_SEED
        )
    except ValueError as error:
        raise ModelsError(f"cannot take {count} images for validation: {error}") from error
    parts = [
        Split(images=split.images[part], labels=split.labels[part]) for part in (train, validation)
    ]
    return parts[0], parts[1]
