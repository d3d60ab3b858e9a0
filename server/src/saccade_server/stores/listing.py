"""What a store says that it holds, as far as that can be true."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from saccade_server.artifact import MAX_DEPTH, MAX_FILES
from saccade_server.errors import ArtifactError
from saccade_server.registry.repository import MODEL_NAME, VERSION
from saccade_server.stores.store import Away, Entry, Store

MAX_ENTRIES = 100_000
"""In one folder."""

MAX_NAME_BYTES = 255
LISTERS = 8
"""Requests at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of a version.

    Attributes:
        name: Its path below the version's folder: safe to use on this machine.
        size: Bytes.
        stamp: Another one when the content is another.
        path: What the store knows it by.
    """

    name: str
    size: int
    stamp: int
    path: str


def list_models(store: Store) -> dict[str, list[int]]:
    """The versions of each model of a repository, newest first. Other folders are passed over.

    Raises:
        Away: The store cannot be asked.
    """
    models = [each for each in _folders(store, store.root) if MODEL_NAME.fullmatch(each.name)]
    with ThreadPoolExecutor(LISTERS) as pool:
        versions = list(pool.map(lambda model: _versions(store, model.path), models))
    return {model.name: numbers for model, numbers in zip(models, versions, strict=True) if numbers}


def list_versions(store: Store) -> list[int]:
    """The versions in a model's folder, newest first.

    Raises:
        Away: The store cannot be asked.
    """
    return _versions(store, store.root)


def list_files(store: Store) -> list[RemoteFile]:
    """All files of a version, by name.

    Raises:
        Away: The store cannot be asked.
        ArtifactError: A name would lead out of the version's folder, or there is absurdly much.
    """
    files = list(_walk(store))
    names = {name for name, _ in files}
    if len(names) < len(files) or any(_parents(name) & names for name in names):
        raise ArtifactError("two of its files would have the same place")
    with ThreadPoolExecutor(LISTERS) as pool:
        return sorted(
            pool.map(lambda each: _measured(store, *each), files), key=lambda file: file.name
        )


def _versions(store: Store, folder: str) -> list[int]:
    names = [each.name for each in _folders(store, folder)]
    return sorted((int(name) for name in names if VERSION.fullmatch(name)), reverse=True)


def _folders(store: Store, folder: str) -> list[Entry]:
    return [each for each in _entries(store, folder) if each.kind == "directory"]


def _entries(store: Store, folder: str) -> list[Entry]:
    entries = store.list(folder.rstrip("/"))
    if len(entries) > MAX_ENTRIES:
        raise Away(f"{folder} has more than {MAX_ENTRIES} entries")
    return entries


def _walk(store: Store) -> Iterator[tuple[str, Entry]]:
    """The files of a version, with their names."""
    waiting = [("", store.root, 0)]
    seen = 0
    while waiting:
        prefix, folder, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ArtifactError(f"{prefix} is nested deeper than {MAX_DEPTH} folders")
        for entry in _entries(store, folder):
            _check_name(entry.name)
            seen += 1
            if seen > MAX_FILES:
                raise ArtifactError(f"there are more than {MAX_FILES} files in it")
            if entry.kind == "directory":
                waiting.append((f"{prefix}{entry.name}/", entry.path, depth + 1))
            elif entry.kind == "file":
                yield prefix + entry.name, entry
            else:
                raise ArtifactError(f"{prefix}{entry.name} is neither a file nor a folder")


def _check_name(name: str) -> None:
    """Refuses what is no name of one file here.

    Raises:
        ArtifactError: The name is like that.
    """
    try:
        is_bad = len(name.encode()) > MAX_NAME_BYTES
    except UnicodeEncodeError:
        is_bad = True
    if is_bad or name in ("", ".", "..") or any(each in name for each in "/\0"):
        raise ArtifactError(f"{name[:MAX_NAME_BYTES]!r} is no file's name")


def _parents(name: str) -> set[str]:
    parts = name.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}


def _measured(store: Store, name: str, entry: Entry) -> RemoteFile:
    size, stamp = store.size_and_stamp(entry)
    if not isinstance(size, int) or size < 0:
        raise ArtifactError(f"the store does not say how large {name} is")
    return RemoteFile(name=name, size=size, stamp=stamp, path=entry.path)
