"""Copies a stranger's SavedModel byte by byte, and nothing else."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from saccade_models.errors import ModelsError
from saccade_server.artifact import MANIFEST

MAX_FILES = 10_000
MAX_BYTES = 32 << 30
"""Beyond any network that one machine serves."""


def copy_saved_model(source: Path, target: Path) -> None:
    """Copies all files and folders of `source` into `target`, which is empty.

    A symbolic link inside the folder becomes the file that it names.

    Raises:
        ModelsError: A link leads out of the folder, something is neither file nor folder, there is
            too much of it, or it is an artifact already.
        OSError: A file can't be read or written.
    """
    if (source / MANIFEST).exists():
        raise ModelsError(
            f"{source} has {MANIFEST}: it is an artifact already; copy it into the repository"
        )
    files = list(list_files(source))
    check_space(sum(size for _, size in files), target)
    for name, _ in files:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(source / name, place, root=source)
    # Empty folders too: some readers want `variables/`, even of a graph without any.
    for folder in source.rglob("*/"):
        if folder.is_dir():
            (target / folder.relative_to(source)).mkdir(parents=True, exist_ok=True)


def list_files(source: Path) -> Iterator[tuple[Path, int]]:
    """Names and sizes of the files below `source`, after a look at each.

    Raises:
        ModelsError: See `copy_saved_model`.
    """
    count = 0
    for folder, folders, files in os.walk(source, followlinks=False):
        for name in sorted([*folders, *files]):
            path = Path(folder) / name
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                status = _inside(path, source).stat()
                if stat.S_ISDIR(status.st_mode):
                    raise ModelsError(f"{path} is a link to a folder: copy the folder there first")
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode):
                raise ModelsError(f"{path} is neither a file nor a folder")
            count += 1
            if count > MAX_FILES:
                raise ModelsError(
                    f"{source} has more than {MAX_FILES:,} files: is it a SavedModel?"
                )
            yield path.relative_to(source), status.st_size


def check_space(size: int, target: Path) -> None:
    """Finds out at once what would fail after minutes.

    Raises:
        ModelsError: It is more than MAX_BYTES, or than the disk has.
    """
    if size > MAX_BYTES:
        raise ModelsError(
            f"the model has {size / 1e9:.1f} GB, at most {MAX_BYTES / 1e9:.1f} is taken"
        )
    free = shutil.disk_usage(target).free
    if size > free:
        raise ModelsError(
            f"the model has {size / 1e9:.1f} GB, {target.parent} has {free / 1e9:.1f} GB left"
        )


def _inside(link: Path, root: Path) -> Path:
    """What a link names.

    Raises:
        ModelsError: It is not there, or outside of `root`.
    """
    try:
        named = link.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ModelsError(f"{link} is a link to nothing") from error
    if not named.is_relative_to(root.resolve()):
        raise ModelsError(
            f"{link} is a link that leads out of the folder: copy the file there first"
        )
    return named


def _copy_file(source: Path, target: Path, *, root: Path) -> None:
    path = _inside(source, root) if source.is_symlink() else source
    # Whoever exchanges the file for a link meanwhile gets an error.
    with (
        open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as reader,
        target.open("xb") as writer,
    ):
        shutil.copyfileobj(reader, writer, 1 << 20)
