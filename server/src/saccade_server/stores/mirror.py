"""Mirrors of model repositories that are elsewhere; see `registry.source.Source`."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

from saccade_server.artifact import Snapshot
from saccade_server.errors import ArtifactError, ConfigError, IncompleteArtifact
from saccade_server.metrics import Metrics
from saccade_server.places import mirrors, store_url
from saccade_server.registry import Version
from saccade_server.stores.backoff import Backoff
from saccade_server.stores.download import Unquiet
from saccade_server.stores.layout import FileList, follow_model, follow_repository, read_record
from saccade_server.stores.locks import Uses
from saccade_server.stores.store import Away

log = logging.getLogger(__name__)


class Stores(Protocol):
    """See `stores.process.StoreProcesses`, the one that serves."""

    async def ask(self, task: str, url: str) -> Any: ...  # noqa: D102

    async def download(  # noqa: D102
        self, url: str, version: Path, *, mirrors: Path, max_bytes: int, is_quiet: bool
    ) -> int: ...

    async def close(self) -> None: ...  # noqa: D102


class Mirror:
    """Has folders here follow stores, and brings the versions that are asked for.

    Several servers may share the mirrors. All of it runs in the event loop's thread.

    Args:
        cache: Where mirrors are.
        stores: Asks, and downloads.
        metrics: Where looks and downloads are counted.
        max_bytes: That all mirrors may take.
        settle_s: For how long nothing must change in a version whose files have no checksums.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        cache: Path,
        stores: Stores,
        metrics: Metrics,
        *,
        max_bytes: int,
        settle_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._stores = stores
        self._looks = metrics.store_looks
        self._downloads = metrics.store_downloads
        self._bytes = metrics.store_bytes
        self._max_bytes = max_bytes
        self._settle_s = settle_s
        self._clock = clock
        self._backoff = Backoff(clock)
        self._uses = Uses()
        # Versions whose files have no checksums: what they looked like, and since when.
        self._still: dict[Path, tuple[FileList, float]] = {}

    def owns(self, path: Path) -> bool:
        """See `Source`."""
        return bool(store_url(path, self._cache))

    async def look(
        self, root: Path | None, models: Collection[Path], in_use: Collection[Path]
    ) -> None:
        """See `Source`."""
        self._uses.keep(in_use)
        self._still = {path: each for path, each in self._still.items() if path.exists()}
        followed = [("models", root)] if root is not None else []
        followed += [
            ("versions", each) for each in models if root is None or not each.is_relative_to(root)
        ]
        troubles = [await self._follow(*each) for each in followed if self.owns(each[1])]
        if any(troubles):
            raise OSError("; ".join(filter(None, troubles)))

    async def fetch(self, version: Version) -> None:
        """See `Source`."""
        path = version.path
        self._uses.add(path)
        try:
            files = await self._files(path)
        except OSError as error:
            if await asyncio.to_thread(read_record, path) is not None:
                log.warning(
                    "model %s version %d is served as it was brought here before: %s",
                    version.model, version.version, error,
                )  # fmt: skip
                return
            raise IncompleteArtifact("the store cannot be asked for it now") from error
        version.snapshot = _snapshot(files)
        if await asyncio.to_thread(read_record, path) == files:
            return
        version.reason = "is being downloaded"
        try:
            await self._download(version, files)
        finally:
            version.reason = ""

    async def snapshot(self, path: Path) -> Snapshot | None:
        """See `Source`."""
        if self._backoff.reason(path):
            return None
        try:
            return _snapshot(await self._files(path))
        except (ArtifactError, OSError):
            return None

    async def close(self) -> None:
        """Lets go of everything; what is under way ends in the middle."""
        await self._stores.close()
        self._uses.keep(())

    async def _follow(self, task: str, folder: Path) -> str:
        """Makes a folder like that of the store; gives what is wrong, if something is.

        Raises:
            ConfigError: A package is missing, or there is nothing to go on with.
        """
        url = store_url(folder, self._cache)
        try:
            found = await self._ask(task, folder)
            follow = follow_repository if task == "models" else follow_model
            await asyncio.to_thread(follow, folder, found)
        except (ArtifactError, OSError) as error:
            self._looks.labels("failed").inc()
            text = f"the store {url} cannot be asked: {error}"
            if task == "models" and not await asyncio.to_thread(_holds_any, folder):
                raise ConfigError(text) from error
            return text
        self._looks.labels("ok").inc()
        return ""

    async def _files(self, path: Path) -> FileList:
        """The files of a version in its store.

        Raises:
            Away: The store cannot be asked.
            ArtifactError: What it says cannot be.
        """
        files = tuple((n, size, stamp) for n, size, stamp in await self._ask("files", path))
        if path not in self._still or self._still[path][0] != files:
            self._still[path] = files, self._clock()
        return files

    async def _ask(self, task: str, folder: Path) -> Any:
        """Asks, unless the store has just failed to answer."""
        mirror = self._mirror_of(folder)
        if why := self._backoff.reason(mirror):
            raise Away(why)
        try:
            found = await self._stores.ask(task, store_url(folder, self._cache))
        except Away as error:
            self._backoff.fail(mirror, str(error))
            raise
        self._backoff.succeed(mirror)
        return found

    async def _download(self, version: Version, files: FileList) -> None:
        """Brings a version.

        Raises:
            IncompleteArtifact: It is not whole, or cannot be brought now.
            ArtifactError: It is wrong.
        """
        path, outcome = version.path, "ok"
        try:
            self._bytes.labels().inc(
                await self._stores.download(
                    store_url(path, self._cache),
                    path,
                    mirrors=mirrors(self._cache),
                    max_bytes=self._max_bytes,
                    is_quiet=self._clock() - self._still[path][1] >= self._settle_s,
                )
            )
            self._backoff.succeed(path)
        except Unquiet:
            outcome = "incomplete"
            version.settled = False
            raise
        except ArtifactError as error:
            outcome = "incomplete" if isinstance(error, IncompleteArtifact) else "wrong"
            raise
        except OSError as error:
            outcome = "failed"
            self._backoff.fail(path, str(error))
            # It is tried again when the store can be seen again, even if nothing has changed.
            version.snapshot = None
            log.error("model %s version %d: %s", version.model, version.version, error)
            raise IncompleteArtifact("it cannot be downloaded now; the log says why") from error
        finally:
            self._downloads.labels(outcome).inc()

    def _mirror_of(self, folder: Path) -> Path:
        root = mirrors(self._cache)
        return root / folder.relative_to(root).parts[0]


def _snapshot(files: FileList) -> Snapshot:
    return Snapshot(files=files, changed_s=0.0)


def _holds_any(folder: Path) -> bool:
    """Whether a version was ever brought to a repository's mirror."""
    return any(read_record(path) is not None for path in folder.glob("*/*"))
