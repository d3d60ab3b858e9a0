"""What a store lists: folders and files whose names, kinds and sizes are anything."""

from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import PurePosixPath
from typing import Any

from saccade_server.artifact import MAX_FILES
from saccade_server.errors import ArtifactError
from saccade_server.registry.repository import MODEL_NAME
from saccade_server.stores.listing import list_files, list_models, list_versions
from saccade_server.stores.store import Away, Store

from ..catalogue import Check

_ROOT = "b"
_KINDS = {"d": "directory", "f": "file"}


class Told:
    """Lists what an input says, a line for an entry: folder, name, kind and size."""

    def __init__(self, text: str) -> None:
        self._entries: dict[str, list[dict[str, Any]]] = {}
        for line in text.split("\n"):
            folder, name, kind, size = (*line.split("\t"), "", "", "")[:4]
            told = {"name": name, "type": _KINDS.get(kind, kind), "size": _size(size)}
            self._entries.setdefault(folder, []).append(told)

    def ls(self, path: str, detail: bool = True) -> list[dict[str, Any]]:
        """The entries of a folder."""
        return self._entries.get(path.rstrip("/"), [])

    def info(self, path: str) -> dict[str, Any]:
        """Nothing more."""
        return {}

    def open(self, path: str, mode: str = "rb", block_size: int | None = None) -> Any:
        """Never called."""
        raise FileNotFoundError(path)

    def invalidate_cache(self) -> None:
        """It remembers nothing."""


def seeds() -> list[bytes]:
    """A repository, a version, and one that leads elsewhere."""
    return [
        b"b\tb/tiny\td\nb\tb/x y\td\nb/tiny\tb/tiny/1\td\nb/tiny\tb/tiny/02\td",
        b"b\tb/saved_model.pb\tf\t7\nb\tb/variables\td\nb/variables\tb/variables/index\tf\t0",
        b"b\tb/..\td\nb/..\tb/../passwd\tf\t1\nb\t/etc/passwd\tf\t1\nb\tb/a%2Fb\tf\t1",
    ]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return nullcontext(check)


def check(data: bytes) -> None:
    """A listing is refused, or all its names stay below the folder, each in a place of its own."""
    files = Told(data.decode("utf-8", "surrogateescape"))
    for is_http in (False, True):
        store = Store(files, _ROOT, is_http=is_http)
        with suppress(Away, ArtifactError):
            _check_files(store)
        with suppress(Away, ArtifactError):
            for name, numbers in list_models(store).items():
                assert MODEL_NAME.fullmatch(name), name
                assert min(numbers) > 0, numbers
        with suppress(Away, ArtifactError):
            assert all(number > 0 for number in list_versions(store))


def _check_files(store: Store) -> None:
    found = list_files(store)
    places = {PurePosixPath("root", each.name) for each in found}

    assert len(found) == len(places) <= MAX_FILES, found
    for place in places:
        assert ".." not in place.parts, place
        assert place.parts[0] == "root", place
        assert places.isdisjoint(place.parents), place
    assert all(type(each.size) is int and each.size >= 0 for each in found), found


def _size(text: str) -> object:
    if text.isdecimal() and text.isascii() and len(text) < 20:
        return int(text)
    return text or None
