"""A data set in one archive of NumPy, with the arrays x_train, y_train, x_test and y_test."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_models.errors import ModelsError

ARCHIVE_KEYS = (("x_train", "y_train"), ("x_test", "y_test"))
Part = tuple[NDArray[Any], NDArray[Any]]
"""Images and labels, as they were stored."""


def read_archive(path: Path) -> tuple[Part, Part]:
    """The training part and the test part of an `.npz` file.

    Raises:
        ModelsError: The file can't be read, is damaged, or lacks one of the arrays.
    """
    try:
        # Opened here, since NumPy leaves a damaged file open. Pickled objects could run code.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            parts = [(archive[images], archive[labels]) for images, labels in ARCHIVE_KEYS]
    except (
        OSError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ModelsError(f"cannot read {path}: {error}") from error
    return parts[0], parts[1]
