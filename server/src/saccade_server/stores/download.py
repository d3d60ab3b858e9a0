"""Bringing one version here: listed, checked, downloaded beside, verified, renamed into place.

Only a version that is whole is ever in place: one that is half uploaded waits, and what a process
leaves behind that is killed is either checked and used by the next one, or removed.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_server.artifact import (
    GRAPH,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    inside,
    read_artifact,
    read_manifest,
    sha256,
    verify_files,
)
from saccade_server.errors import ArtifactError, IncompleteArtifact
from saccade_server.stores.layout import RECORD, fetching, file_list, put_in_place, read_record
from saccade_server.stores.listing import RemoteFile, list_files
from saccade_server.stores.locks import try_lock, write_lock
from saccade_server.stores.space import make_room
from saccade_server.stores.store import Store

DOWNLOADERS = 4
"""Files at the same time."""

WAIT_S = 0.2
"""Between two looks whether another process has done it."""


class Unquiet(IncompleteArtifact):
    """Nothing tells that it is whole, but that nothing has changed for a while."""


@dataclass(slots=True, kw_only=True)
class Download:
    """One version's way here.

    Attributes:
        store: The version's folder in the store.
        version: Its folder here.
        mirrors: The folder of all mirrors.
        max_bytes: That all mirrors may take.
        is_quiet: Whether nothing has changed in the store for a while.
        tell: Told, from several threads, that it goes on.
    """

    store: Store
    version: Path
    mirrors: Path
    max_bytes: int
    is_quiet: bool
    tell: Callable[[], None] = field(default=lambda: None)

    def run(self) -> int:
        """Brings it here, unless it is here already; gives the bytes that were downloaded.

        Raises:
            IncompleteArtifact: It is not whole in the store, or changes meanwhile.
            ArtifactError: It is wrong.
            Away: The store cannot be asked.
            OSError: There is no room for it.
        """
        while True:
            with try_lock(write_lock(self.version)) as mine:
                if mine:
                    return self._fetch()
            self.tell()
            time.sleep(WAIT_S)

    def _fetch(self) -> int:
        files = list_files(self.store)
        seen = file_list(files)
        if read_record(self.version) == seen:
            return 0
        self._check_sizes(files)
        beside = fetching(self.version)
        beside.mkdir(parents=True, exist_ok=True)
        expected = self._expected(files, beside)
        _remove_others(beside, {each.name for each in files})
        missing = [each for each in files if not _has(beside, each, expected)]
        need_bytes = sum(each.size for each in missing)
        make_room(self.mirrors, need_bytes, self.max_bytes, keep=self.version)
        self._download(missing, beside)
        if expected:
            verify_files(read_artifact(beside))
        # Without checksums there is no other sign of a change in the middle.
        elif file_list(list_files(self.store)) != seen:
            raise Unquiet("it changes while it is downloaded")
        put_in_place(self.version, seen)
        return need_bytes

    def _check_sizes(self, files: Sequence[RemoteFile]) -> None:
        """Refuses what can't be a version, before a byte of it is asked for."""
        if GRAPH not in [each.name for each in files]:
            raise IncompleteArtifact(
                f"the folder has no {GRAPH}: it is not a SavedModel, or not copied whole"
            )
        total = sum(each.size for each in files)
        if total > self.max_bytes:
            raise ArtifactError(
                f"its files have {total >> 20} MiB, more than all mirrors may take (--mirror-gb)"
            )
        for each in files:
            if each.name == MANIFEST and each.size > MAX_MANIFEST_BYTES:
                raise ArtifactError(f"{MANIFEST} is larger than {MAX_MANIFEST_BYTES} bytes")
            if each.name == RECORD:
                raise ArtifactError(f"{RECORD} is a name that the mirror needs")

    def _expected(
        self, files: Sequence[RemoteFile], beside: Path
    ) -> dict[str, manifest_pb2.FileChecksum]:
        """The files that the manifest lists, by name; none where nothing does, and it is quiet."""
        sizes = {each.name: each.size for each in files}
        expected: dict[str, manifest_pb2.FileChecksum] = {}
        for each in files:
            if each.name == MANIFEST:
                self._download([each], beside)
                expected = {one.path: one for one in read_manifest(beside).files}
        for name, one in expected.items():
            inside(beside, name)
            if name not in sizes:
                raise IncompleteArtifact(f"{name} is missing")
            if sizes[name] != one.bytes:
                raise IncompleteArtifact(f"{name} is not the file that the manifest describes")
        if not expected and not self.is_quiet:
            raise Unquiet(
                f"{MANIFEST} lists no files, so it is loaded when nothing has changed in it for "
                "a while"
            )
        return expected

    def _download(self, files: Sequence[RemoteFile], beside: Path) -> None:
        with ThreadPoolExecutor(DOWNLOADERS) as pool:
            under_way = [pool.submit(self._download_file, each, beside) for each in files]
            try:
                for each in under_way:
                    each.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _download_file(self, file: RemoteFile, beside: Path) -> None:
        """Never writes more than the store has announced."""
        target = inside(beside, file.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        left = file.size
        with target.open("wb") as stream:
            for piece in self.store.read(file.path):
                left -= len(piece)
                if left < 0:
                    break
                stream.write(piece)
                self.tell()
            stream.flush()
            os.fsync(stream.fileno())
        if left:
            target.unlink()
            raise IncompleteArtifact(f"{file.name} changes while it is downloaded")


def _has(beside: Path, file: RemoteFile, expected: dict[str, manifest_pb2.FileChecksum]) -> bool:
    """Whether a download that was cut off has brought a file already: its checksum tells."""
    path = beside / file.name
    if file.name == MANIFEST:
        return path.is_file()
    return file.name in expected and path.is_file() and sha256(path) == expected[file.name].sha256


def _remove_others(beside: Path, names: set[str]) -> None:
    """Removes what is left of a version that had other files."""
    for path in sorted(beside.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if path.relative_to(beside).as_posix() in names:
                shutil.rmtree(path)
        elif path.relative_to(beside).as_posix() not in names:
            path.unlink()
