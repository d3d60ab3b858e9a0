"""Folders of images: which files there are, and of which classes."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from saccade_models.errors import ModelsError
from saccade_server.imaging import ImageLimits

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp")
)  # fmt: skip
ALL = "all"
"""The part of images that were not published in parts."""

PARTS = {
    "train": "train",
    "test": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
}
"""Names of sub-folders that hold a published part, and which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFiles:
    """The image files of a folder with a sub-folder a class.

    Attributes:
        files: Relative to the data set's folder; sorted by class, then by name, so that nothing
            hangs on the order in which the file system tells them.
        classes: The class label of each.
        labels: The sub-folders' names, sorted; those of empty ones too.
        ignored: How many others there are, by suffix; "hidden" counts those with a dot, "no file"
            links that lead nowhere, and pipes.
    """

    files: list[str]
    classes: list[str]
    labels: tuple[str, ...]
    ignored: Counter[str] = field(default_factory=Counter)


def find_parts(root: Path) -> dict[str, Path]:
    """The folder itself as ALL, or its published parts, `train` first.

    Parts are meant where no sub-folder has another name and `train` has sub-folders: classes may
    be called so too.

    Raises:
        ModelsError: There is no such folder, or it has no sub-folders.
    """
    folders = _sub_folders(root)
    if not folders:
        raise ModelsError(f"{root} has no sub-folders: images must lie in one sub-folder a class")
    parts = {PARTS.get(folder.name.lower()): folder for folder in folders}
    if None in parts or "train" not in parts or not _sub_folders(parts["train"]):
        return {ALL: root}
    if len(parts) < len(folders):
        raise ModelsError(f"{root} has the validation part under two names")
    return {name: parts[name] for name in ("train", "validation", "test") if name in parts}


def list_class_files(root: Path, part: Path) -> ClassFiles:
    """What lies in the class folders of a part, and in their sub-folders.

    Raises:
        ModelsError: A folder can't be read, or its name can't be a class label.
    """
    found = ClassFiles(files=[], classes=[], labels=tuple(map(_label, _sub_folders(part))))
    for folder in _sub_folders(part):
        for path in _walk(folder):
            name = path.name
            if name.startswith("."):
                found.ignored["hidden"] += 1
            elif path.suffix.lower() not in IMAGE_SUFFIXES:
                found.ignored[shown(path.suffix.lower()) or "no suffix"] += 1
            elif not path.is_file():
                found.ignored["no file"] += 1
            else:
                found.files.append(path.relative_to(root).as_posix())
                found.classes.append(folder.name)
    return found


def read_image_file(path: Path) -> bytes:
    """The bytes of a file; of one that is too large for an image only as many as tell that.

    Raises:
        OSError: It can't be read.
    """
    with path.open("rb") as file:
        # Room for what is asked for is taken before anything is read, so the file's size is asked.
        size = os.fstat(file.fileno()).st_size
        return file.read(min(size, ImageLimits().max_bytes + 1))


def shown(name: str) -> str:
    """A file's name as it can be printed: names need not be text, and may steer a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in name
    )


def _sub_folders(folder: Path) -> list[Path]:
    try:
        paths = [path for path in folder.iterdir() if path.name[0] != "." and path.is_dir()]
    except NotADirectoryError:
        raise ModelsError(f"{folder} is not a folder") from None
    except OSError as error:
        raise ModelsError(f"cannot read {folder}: {error.strerror}") from error
    return sorted(paths)


def _label(folder: Path) -> str:
    if not folder.name.isprintable():
        raise ModelsError(f"{shown(str(folder))!r} cannot be a class label: rename the folder")
    return folder.name


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise ModelsError(f"cannot read {shown(str(folder))}: {error.strerror}") from error

    # Links to folders are not followed: they may lead round in a circle.
    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        yield from (Path(place, name) for name in sorted(files))
