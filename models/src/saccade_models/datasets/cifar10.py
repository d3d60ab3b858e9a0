"""CIFAR-10: 50,000 small photographs to train on and 10,000 to test.

Source: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.archives import Part, read_archive
from saccade_models.datasets.form import PictureForm
from saccade_models.datasets.picture_parts import has_picture_parts, read_picture_parts
from saccade_models.datasets.splits import Dataset, Split, split_off_validation
from saccade_models.errors import ModelsError

CLASS_LABELS = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
VALIDATION_IMAGES = 5_000
FORM = PictureForm(height=32, width=32)


def load_cifar10(data_dir: Path | None) -> Dataset:
    """Photographs of shape (32, 32, 3), RGB; 45,000 / 5,000 / 10,000 a split.

    Args:
        data_dir: holds, itself or in its folder `cifar10`, `cifar10.npz` with the arrays x_train,
            y_train, x_test and y_test, or the folders `train` and `test` with one of pictures for
            each class; None has Keras download them.

    Raises:
        ModelsError: The pictures are not there, not whole, or can't be downloaded.
    """
    fitting, testing = _download() if data_dir is None else _read_folder(data_dir)
    train, validation = split_off_validation(_split(*fitting), VALIDATION_IMAGES)
    return Dataset(
        name="cifar10",
        class_labels=CLASS_LABELS,
        train=train,
        validation=validation,
        test=_split(*testing),
    )


def _read_folder(data_dir: Path) -> tuple[Part, Part]:
    paths = (data_dir / "cifar10" / "cifar10.npz", data_dir / "cifar10.npz")
    path = next((path for path in paths if path.is_file()), None)
    if path is not None:
        return read_archive(path)
    for folder in (data_dir / "cifar10", data_dir):
        if has_picture_parts(folder):
            return read_picture_parts(folder, CLASS_LABELS, FORM)
    raise ModelsError(
        f"{data_dir} holds no cifar10: neither it nor its folder cifar10 has cifar10.npz or "
        "folders of pictures in train and test"
    )


def _download() -> tuple[Part, Part]:
    import keras

    source: Any = keras.datasets.cifar10
    try:
        fitting, testing = source.load_data()
    # Keras raises a plain Exception where a download fails.
    except Exception as error:
        raise ModelsError(
            f"cannot download cifar10 ({error}): name a folder that holds it by --data-dir"
        ) from error
    return fitting, testing


def _split(images: NDArray[Any], labels: NDArray[Any]) -> Split:
    # As published, the labels are a column.
    flat = labels.reshape(-1)
    if (
        images.dtype != np.uint8
        or images.shape != (len(flat), *FORM.shape)
        or flat.dtype.kind not in "iu"
        or not len(flat)
        or not 0 <= flat.min() <= flat.max() < len(CLASS_LABELS)
    ):
        raise ModelsError(
            "cifar10 must be byte images (N, 32, 32, 3) with class indices below 10, "
            f"got {images.dtype} {images.shape} and {labels.dtype} {labels.shape}"
        )
    return Split(images=images, labels=flat.astype(np.int64))
