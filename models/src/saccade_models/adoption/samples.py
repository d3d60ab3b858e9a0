"""Somebody's pictures of the classes: one sub-folder a class, or one folder without any."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade_models.errors import ConfigError, ModelsError
from saccade_server.artifact import InputSpec
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import decode_image

MAX_IMAGES = 512
"""Taken from a folder, as many of each class as of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Pictures at a graph's size.

    Attributes:
        images: Shape (N, H, W, C), values 0 to 255, gray or RGB; N at least 1.
        labels: Shape (N,), class indices; None where the folder does not tell.
        skipped: Files that are no pictures.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    skipped: int

    def __len__(self) -> int:
        return len(self.images)


def class_folders(folder: Path) -> list[Path]:
    """The sub-folders, by name as people who train sort them; none: the pictures have no labels.

    Raises:
        ModelsError: There is no such folder.
    """
    if not folder.is_dir():
        raise ModelsError(f"samples: {folder} is not a folder")
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def read_samples(folder: Path, class_labels: tuple[str, ...], spec: InputSpec) -> Samples:
    """Decodes at most MAX_IMAGES pictures; the first of each class by name.

    Args:
        folder: See `class_folders`.
        class_labels: By index; each sub-folder's name must be one of them.
        spec: Size and resize rule.

    Raises:
        ConfigError: A sub-folder is no class.
        ModelsError: There is no picture.
    """
    folders = class_folders(folder)
    _check_names(folders, class_labels)
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    skipped = 0
    for place in folders or [folder]:
        most = MAX_IMAGES // max(1, len(folders)) or 1
        taken, bad = _read_some(place, most, lambda data: decode_image(data, spec))
        images += taken
        labels += [class_labels.index(place.name) if folders else 0] * len(taken)
        skipped += bad
    if not images:
        raise ModelsError(f"samples: {folder} has no picture that can be read ({skipped} files)")
    return Samples(
        images=np.stack(images),
        labels=np.asarray(labels, np.int64) if folders else None,
        skipped=skipped,
    )


def read_labels(file: Path) -> tuple[str, ...]:
    """The lines of a text file: a class label each, by index.

    Raises:
        ModelsError: It can't be read, is not UTF-8, or has an empty line.
    """
    try:
        lines = [line.strip() for line in file.read_text("utf-8").rstrip().splitlines()]
    except OSError as error:
        raise ModelsError(f"labels: cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelsError(f"labels: {file} is not UTF-8 text") from error
    for number, line in enumerate(lines, 1):
        if not line:
            raise ModelsError(f"labels: line {number} of {file} is empty")
    return tuple(lines)


def _check_names(folders: list[Path], class_labels: tuple[str, ...]) -> None:
    strangers = [path.name for path in folders if path.name not in class_labels]
    if strangers:
        raise ConfigError(
            f"samples must be one folder a class; these are no class labels: "
            f"{', '.join(strangers[:5])}{', ...' if len(strangers) > 5 else ''}"
        )


def _read_some(
    folder: Path, most: int, decode: Callable[[bytes], NDArray[np.uint8]]
) -> tuple[list[NDArray[np.uint8]], int]:
    images: list[NDArray[np.uint8]] = []
    skipped = 0
    for path in sorted(folder.iterdir()):
        if len(images) == most:
            break
        if path.is_file() and path.name[0] != ".":
            try:
                images.append(decode(path.read_bytes()))
            except (InvalidArgument, OSError):
                skipped += 1
    return images, skipped
