"""Published data sets as folders of pictures: `train` and `test`, a sub-folder a class in each."""

import io
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade_models.datasets.archives import Part
from saccade_models.datasets.class_folders import list_class_files, read_image_file
from saccade_models.datasets.form import PictureForm
from saccade_models.datasets.splits import SPLIT_SEED
from saccade_models.errors import ModelsError
from saccade_server.cpus import available_cpus
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import decode_image

PART_NAMES = (("train", "test"), ("training", "testing"))


def has_picture_parts(folder: Path) -> bool:
    """Whether a folder has both parts as sub-folders."""
    return _names(folder) is not None


def read_picture_parts(
    folder: Path, class_labels: Sequence[str], form: PictureForm
) -> tuple[Part, Part]:
    """The training part and the test part, each shuffled, always in the same way.

    Args:
        folder: See `has_picture_parts`.
        class_labels: By index. A class's folder is named by index or by label; of a label, capitals
            and what is neither letter nor digit make no difference.
        form: What the pictures are, and must be.

    Raises:
        ModelsError: A folder is no class, a class has no picture, or a file is damaged or of
            another size.
    """
    train, test = _names(folder) or PART_NAMES[0]
    return (
        _read_part(folder / train, class_labels, form),
        _read_part(folder / test, class_labels, form),
    )


def _names(folder: Path) -> tuple[str, str] | None:
    pairs = (pair for pair in PART_NAMES if all((folder / part).is_dir() for part in pair))
    return next(pairs, None)


def _read_part(part: Path, class_labels: Sequence[str], form: PictureForm) -> Part:
    found = list_class_files(part, part)
    index_of = _match(part, found.labels, class_labels)
    labels = np.array([index_of[label] for label in found.classes], np.int64)
    missing = set(range(len(class_labels))) - set(labels.tolist())
    if missing:
        names = ", ".join(class_labels[index] for index in sorted(missing))
        raise ModelsError(f"{part} has no images of {names}")
    images = np.empty((len(labels), *form.shape), np.uint8)

    def fill(place: int) -> None:
        images[place] = _read(part / found.files[place], form)

    with ThreadPoolExecutor(available_cpus(), thread_name_prefix="decode") as pool:
        for _ in pool.map(fill, range(len(labels))):
            pass
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    return images[order], labels[order]


def _match(part: Path, names: Sequence[str], class_labels: Sequence[str]) -> dict[str, int]:
    known = {str(index): index for index in range(len(class_labels))}
    known |= {_plain(label): index for index, label in enumerate(class_labels)}
    strangers = [name for name in names if _plain(name) not in known]
    if strangers:
        raise ModelsError(
            f"{part / strangers[0]} is no class: folders are named by index or by label, "
            f"{', '.join(class_labels)}"
        )
    return {name: known[_plain(name)] for name in names}


def _plain(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


def _read(path: Path, form: PictureForm) -> NDArray[np.uint8]:
    try:
        data = read_image_file(path)
        pixels = decode_image(data, form.spec)
    except (OSError, InvalidArgument) as error:
        raise ModelsError(f"cannot read {path}: {error}") from error
    with Image.open(io.BytesIO(data)) as image:
        if image.size != (form.width, form.height):
            raise ModelsError(f"{path} is {image.width} x {image.height}, not {form.size}")
    return pixels
