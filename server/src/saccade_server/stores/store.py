"""A folder of a store, read through fsspec."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

from saccade_server.errors import ArtifactError, ConfigError

BLOCK_BYTES = 4 << 20
"""Read at once: by each thread that downloads."""

PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs",
    "abfss": "adlfs",
}  # fmt: skip
"""What fsspec needs for the usual stores, by scheme."""

_STAMPS = (
    "ETag", "etag", "md5Hash", "content_md5", "Content-MD5", "generation", "LastModified",
    "Last-Modified", "last_modified", "updated", "mtime", "created",
)  # fmt: skip
"""Where stores tell that a file has changed."""


class Away(OSError):
    """A store cannot be asked: out of reach, not for us, or without such a folder."""


class FileSystem(Protocol):
    """What is used of fsspec's `AbstractFileSystem`."""

    def ls(self, path: str, detail: bool = True) -> list[dict[str, Any]]: ...  # noqa: D102
    def info(self, path: str) -> dict[str, Any]: ...  # noqa: D102
    def open(self, path: str, mode: str = "rb", block_size: int | None = None) -> Any: ...  # noqa: D102
    def invalidate_cache(self) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing in a folder of a store.

    Attributes:
        name: The last part of its path, as the store says it: not to be trusted.
        path: What the store knows it by.
        kind: "file" or "directory"; or whatever else there may be.
        size: Bytes, or None where the store does not tell.
        stamp: Another one when the content is another.
    """

    name: str
    path: str
    kind: str
    size: int | None
    stamp: int


class Store:
    """Lists and reads a folder of a store. Threads may share it.

    Args:
        files: fsspec's file system.
        root: The folder, in its terms.
        is_http: Paths are URLs, quoted.
    """

    def __init__(self, files: FileSystem, root: str, *, is_http: bool = False) -> None:
        self._files = files
        self._is_http = is_http
        self.root = root.rstrip("/")

    def list(self, folder: str) -> list[Entry]:
        """What there is in a folder.

        Args:
            folder: `root`, or the path of an entry.

        Raises:
            Away: The store cannot be asked.
            ArtifactError: It lists what is elsewhere.
        """
        try:
            # Or else it may tell what it was told the last time.
            self._files.invalidate_cache()
            # Servers of HTTP tell folders by that.
            found = self._files.ls(folder + "/" if self._is_http else folder, detail=True)
        except Exception as error:
            # The edge: each store has errors of its own.
            raise Away(_text(error)) from error
        prefix = folder.rstrip("/") + "/"
        return [self._entry(info, prefix) for info in found if self._is_inside(info, prefix)]

    def size_and_stamp(self, entry: Entry) -> tuple[int | None, int]:
        """Those of a file; asks the store where the list did not tell.

        Raises:
            Away: The store cannot be asked.
        """
        if entry.size is not None:
            return entry.size, entry.stamp
        try:
            info = self._files.info(entry.path)
        except Exception as error:
            raise Away(_text(error)) from error
        return info.get("size"), _stamp(info)

    def read(self, path: str) -> Iterator[bytes]:
        """The bytes of a file, in pieces.

        Raises:
            Away: The store cannot be asked.
        """
        try:
            # Servers of HTTP need not know of ranges: those are read as one stream.
            size = 0 if self._is_http else BLOCK_BYTES
            with closing(self._files.open(path, "rb", block_size=size)) as stream:
                while piece := stream.read(BLOCK_BYTES):
                    yield piece
        except Exception as error:
            raise Away(_text(error)) from error

    def _is_inside(self, info: Mapping[str, Any], prefix: str) -> bool:
        """Whether it is an entry, and not the folder itself or a link to sort a page of it by."""
        path = str(info["name"])
        if path.rstrip("/") + "/" == prefix:
            return False
        return not (self._is_http and ("?" in path or "#" in path))

    def _entry(self, info: Mapping[str, Any], prefix: str) -> Entry:
        path = str(info["name"])
        if not path.startswith(prefix):
            raise ArtifactError(f"the store lists {path!r}, which is elsewhere")
        name = path.removeprefix(prefix).rstrip("/")
        return Entry(
            name=unquote(name) if self._is_http else name,
            path=path,
            kind=str(info.get("type")),
            size=info.get("size"),
            stamp=_stamp(info),
        )


def open_store(url: str) -> Store:
    """A folder of a store.

    Raises:
        ConfigError: A package is missing, or there is no such kind of store; the text names it.
        Away: The store cannot be asked.
    """
    try:
        import fsspec
    except ImportError as error:
        raise ConfigError(
            "a repository that is a URL needs fsspec: install saccade-server[remote]"
        ) from error
    scheme = url.partition("://")[0].lower()
    try:
        files, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = PACKAGES.get(scheme)
        hint = f"install {package}" if package else str(error)
        raise ConfigError(f"{scheme}:// needs a package that is not here: {hint}") from error
    except ValueError as error:
        raise ConfigError(f"{url}: {error}") from error
    except Exception as error:
        raise Away(_text(error)) from error
    return Store(files, str(root), is_http=scheme in ("http", "https"))


def _stamp(info: Mapping[str, Any]) -> int:
    """A number of 63 bits of all that changes with the content."""
    text = "|".join(str(info[key]) for key in _STAMPS if info.get(key))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


def _text(error: Exception) -> str:
    """One line, of which the log can take many."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
