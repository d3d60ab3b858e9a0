"""How a mirror's folders lie, and how they follow the store.

    <mirror>/<model>/<version>/            empty: known of; else whole, with a record of its files
    <mirror>/<model>/.fetching-<version>/  what is downloaded; renamed when it is whole
    <mirror>/<model>/.leaving-.../         out of sight; removed when nobody uses the version
    <mirror>/<model>/.locks/               see `locks`

Several processes may do this at the same time.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from saccade_server.registry.repository import MODEL_NAME, scan_model
from saccade_server.stores.listing import RemoteFile
from saccade_server.stores.locks import LOCKS, try_lock, use_lock, write_lock

RECORD = ".store.json"
"""In a version's folder: what the store said of its files. A folder without it was not fetched."""

FETCHING = ".fetching-"
_LEAVING = ".leaving-"
_HIDDEN = re.compile(rf"({re.escape(FETCHING)}|{re.escape(_LEAVING)})([1-9][0-9]*)(-.*)?")

FileList = tuple[tuple[str, int, int], ...]
"""Name, bytes and stamp of each file, by name."""


def file_list(files: Sequence[RemoteFile]) -> FileList:
    """What is remembered of a listing."""
    return tuple((each.name, each.size, each.stamp) for each in files)


def fetching(version: Path) -> Path:
    """Where a version is downloaded to."""
    return version.parent / f"{FETCHING}{version.name}"


def read_record(version: Path) -> FileList | None:
    """The files that a version was made of; None: it was not fetched."""
    try:
        return tuple((n, s, t) for n, s, t in json.loads((version / RECORD).read_text("utf-8")))
    except (OSError, ValueError):
        return None


def put_in_place(version: Path, files: FileList) -> None:
    """Lets what was downloaded be the version, at one blow. Needs its write lock.

    Raises:
        OSError: The disk is full, or not to be written.
    """
    beside = fetching(version)
    with (beside / RECORD).open("w", encoding="utf-8") as record:
        json.dump(files, record)
        record.flush()
        os.fsync(record.fileno())
    put_aside(version)
    beside.rename(version)
    remove_left(version.parent)


def put_aside(version: Path) -> None:
    """Takes a version out of sight, if it is there; `remove_left` removes it."""
    with suppress(OSError):
        version.rmdir()  # It was empty.
    if not version.exists():
        return
    aside = tempfile.mkdtemp(dir=version.parent, prefix=f"{_LEAVING}{version.name}-")
    # Another process may have been quicker.
    with suppress(FileNotFoundError):
        version.rename(aside)


def follow_repository(mirror: Path, models: Mapping[str, Sequence[int]]) -> None:
    """Makes the models and versions of a mirror those of the store.

    Raises:
        OSError: The mirror cannot be written.
    """
    mirror.mkdir(parents=True, exist_ok=True)
    gone = [each for each in mirror.iterdir() if each.name not in models]
    for folder in gone:
        if MODEL_NAME.fullmatch(folder.name):
            follow_model(folder, [])
    for name, numbers in models.items():
        follow_model(mirror / name, numbers)


def follow_model(folder: Path, numbers: Sequence[int]) -> None:
    """Makes the versions of a model's mirror those of the store.

    Raises:
        OSError: The mirror cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    here = set(scan_model(folder))
    for number in here.difference(numbers):
        put_aside(folder / str(number))
    for number in set(numbers) - here:
        (folder / str(number)).mkdir(exist_ok=True)
    remove_left(folder)


def remove_left(folder: Path) -> None:
    """Removes what nobody uses or writes any more from a model's mirror."""
    for left in list(folder.iterdir()):
        found = _HIDDEN.fullmatch(left.name)
        if found:
            version = folder / found[2]
            if found[1] == _LEAVING:
                _remove(left, use_lock(version))
            elif not version.exists():
                _remove(left, write_lock(version))
    for lock in (folder / LOCKS).glob("*"):
        if not (folder / lock.stem).exists():
            with try_lock(lock) as is_free:
                if is_free:
                    lock.unlink(missing_ok=True)


def drop_files(version: Path) -> None:
    """Makes room: of a version that nobody uses only its name stays."""
    with try_lock(use_lock(version)) as unused:
        if unused and read_record(version) is not None:
            put_aside(version)
            version.mkdir(exist_ok=True)
    remove_left(version.parent)


def drop_download(beside: Path) -> None:
    """Makes room: of a download that nobody goes on with nothing stays."""
    _remove(beside, write_lock(beside.with_name(beside.name.removeprefix(FETCHING))))


def _remove(folder: Path, lock: Path) -> None:
    with try_lock(lock) as is_free:
        if is_free:
            shutil.rmtree(folder, ignore_errors=True)
