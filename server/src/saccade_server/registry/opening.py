"""From a version's folder to an artifact that is whole: links, files, checksums."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from saccade_server.artifact import (
    GRAPH,
    MANIFEST,
    Artifact,
    Snapshot,
    read_artifact,
    take_snapshot,
    verify_files,
)
from saccade_server.errors import ArtifactError, IncompleteArtifact
from saccade_server.registry.source import Source
from saccade_server.registry.version import Version

log = logging.getLogger(__name__)

Describe = Callable[[Path], Awaitable[Artifact]]
"""Finds out what the manifest of a SavedModel would say; see `loading.Loader.describe`."""

_PATH = re.compile(r"(?<![\w.:/])/(?:[^\s:'\",;/]+/)+")
"""The folders of an absolute path."""


class Opener:
    """Makes artifacts of folders that are whole.

    A folder with a manifest is whole when all files have their checksums. One without is taken to
    be whole when nothing has changed in it for a while.

    Args:
        describe: For SavedModels without a manifest; None: they are refused.
        settle_s: That while, in seconds.
        source: Brings versions first that are elsewhere.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        describe: Describe | None,
        settle_s: float,
        source: Source | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._describe = describe
        self._settle_s = settle_s
        self._source = source
        self._clock = clock

    async def open(self, version: Version) -> Artifact:
        """Checks a version's folder and reads its manifest; notes what it looked like.

        Raises:
            IncompleteArtifact: It may be in the middle of a copy.
            ArtifactError: It is wrong.
        """
        version.snapshot, version.settled = None, True
        source = self._source_of(version.path)
        if source is not None:
            await source.fetch(version)
        seen = await asyncio.to_thread(look, version.path)
        if source is None:
            version.snapshot = seen
        if MANIFEST in [name for name, _, _ in seen.files] or self._describe is None:
            artifact = await asyncio.to_thread(_read_whole, version.path)
            if not artifact.manifest.files and source is None:
                self._wait_until_quiet(version, seen)
        else:
            _check_graph(seen)
            if source is None:
                self._wait_until_quiet(version, seen)
            artifact = await self._describe(version.path)
        if not (await asyncio.to_thread(look, version.path)).same(seen, but_for_forms=True):
            version.settled = False
            raise IncompleteArtifact("it changes while it is read")
        return artifact

    async def look(self, version: Version) -> Snapshot | None:
        """What its folder looks like now, where it comes from; None: it cannot be seen."""
        source = self._source_of(version.path)
        if source is not None:
            return await source.snapshot(version.path)
        try:
            return await asyncio.to_thread(look, version.path)
        except ArtifactError:
            return None

    def _source_of(self, path: Path) -> Source | None:
        return self._source if self._source is not None and self._source.owns(path) else None

    def _wait_until_quiet(self, version: Version, seen: Snapshot) -> None:
        if self._clock() - seen.changed_s < self._settle_s:
            version.settled = False
            raise IncompleteArtifact(
                f"{MANIFEST} lists no files, so it is loaded when nothing has changed in it "
                f"for {self._settle_s:g} s"
            )


def look(path: Path) -> Snapshot:
    """See `take_snapshot`; links may lead anywhere in the model's folder."""
    return take_snapshot(path, path.parent)


def without_paths(text: str, folder: Path) -> str:
    """A text that is safe to show: without the server's own folders.

    Args:
        text: Of an error.
        folder: The version's; what is in it is named by its path there.
    """
    for known in (folder, folder.resolve()):
        text = text.replace(f"{known}/", "").replace(str(known), "the folder")
    return _PATH.sub("", text)


def _read_whole(path: Path) -> Artifact:
    artifact = read_artifact(path)
    if artifact.manifest.files and GRAPH not in [each.path for each in artifact.manifest.files]:
        raise ArtifactError(f"{MANIFEST} has no checksum of {GRAPH}")
    verify_files(artifact)
    return artifact


def _check_graph(seen: Snapshot) -> None:
    if GRAPH not in [name for name, _, _ in seen.files]:
        raise IncompleteArtifact(
            f"the folder has no {GRAPH}: it is not a SavedModel, or not copied whole"
        )
