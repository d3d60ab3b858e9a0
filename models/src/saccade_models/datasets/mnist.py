"""MNIST and Fashion-MNIST: 60,000 pictures to train on and 10,000 to test, in the same files.

Sources: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
recognition, 1998; H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for
benchmarking machine learning algorithms, 2017.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.archives import Part, read_archive
from saccade_models.datasets.form import PictureForm
from saccade_models.datasets.idx import read_idx
from saccade_models.datasets.picture_parts import has_picture_parts, read_picture_parts
from saccade_models.datasets.splits import Dataset, Split, split_off_validation
from saccade_models.errors import ModelsError

DIGITS = tuple(str(digit) for digit in range(10))
CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
VALIDATION_IMAGES = 5_000
FORM = PictureForm(height=28, width=28, color="gray")


def load_mnist(data_dir: Path | None) -> Dataset:
    """Handwritten digits, white on black, shape (28, 28, 1); 55,000 / 5,000 / 10,000 a split."""
    return _load("mnist", DIGITS, data_dir)


def load_fashion_mnist(data_dir: Path | None) -> Dataset:
    """Clothes, light on black, shape (28, 28, 1); 55,000 / 5,000 / 10,000 a split."""
    return _load("fashion-mnist", CLOTHES, data_dir)


def _load(name: str, class_labels: tuple[str, ...], data_dir: Path | None) -> Dataset:
    """Reads local files, or has Keras download them.

    The published test part is the test split. The validation split is taken from the rest.

    Raises:
        ModelsError: The files are not there, not whole, or can't be downloaded.
    """
    fitting, testing = (
        _download(name) if data_dir is None else _read_folder(name, class_labels, data_dir)
    )
    published, test = _split(name, *fitting, classes=10), _split(name, *testing, classes=10)
    train, validation = split_off_validation(published, VALIDATION_IMAGES)
    return Dataset(
        name=name, class_labels=class_labels, train=train, validation=validation, test=test
    )


def _read_folder(name: str, class_labels: Sequence[str], data_dir: Path) -> tuple[Part, Part]:
    for folder in (data_dir / name, data_dir):
        archive = folder / f"{name}.npz"
        if archive.is_file():
            return read_archive(archive)
        if _find(folder, "train-images-idx3-ubyte") is not None:
            return _read_part(folder, "train"), _read_part(folder, "t10k")
        if has_picture_parts(folder):
            parts = read_picture_parts(folder, class_labels, FORM)
            fitting, testing = ((images[..., 0], labels) for images, labels in parts)
            return fitting, testing
    raise ModelsError(
        f"{data_dir} holds no {name}: neither it nor its folder {name} has "
        f"train-images-idx3-ubyte.gz, {name}.npz or folders of pictures in train and test"
    )


def _read_part(folder: Path, part: str) -> Part:
    arrays = []
    for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
        path = _find(folder, f"{part}-{kind}")
        if path is None:
            raise ModelsError(f"{folder} has no {part}-{kind}.gz")
        arrays.append(read_idx(path))
    return arrays[0], arrays[1]


def _find(folder: Path, name: str) -> Path | None:
    paths = (folder / f"{name}.gz", folder / name)
    return next((path for path in paths if path.is_file()), None)


def _download(name: str) -> tuple[Part, Part]:
    import keras

    sources: dict[str, Any] = {
        "mnist": keras.datasets.mnist,
        "fashion-mnist": keras.datasets.fashion_mnist,
    }
    try:
        fitting, testing = sources[name].load_data()
    # Keras raises a plain Exception where a download fails.
    except Exception as error:
        raise ModelsError(
            f"cannot download {name} ({error}): name a folder that holds it by --data-dir"
        ) from error
    return fitting, testing


def _split(name: str, images: NDArray[Any], labels: NDArray[Any], *, classes: int) -> Split:
    if (
        images.dtype != np.uint8
        or images.ndim != 3
        or labels.shape != images.shape[:1]
        or labels.dtype.kind not in "iu"
        or not 0 < len(labels)
        or not 0 <= labels.min() <= labels.max() < classes
    ):
        raise ModelsError(
            f"{name} must be byte images (N, H, W) with class indices below {classes}, "
            f"got {images.dtype} {images.shape} and {labels.dtype} {labels.shape}"
        )
    return Split(images=images[..., np.newaxis], labels=labels.astype(np.int64))
