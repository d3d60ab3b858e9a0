"""The metrics of all worker processes of one server, as one.

Each worker answers on a Unix socket in a folder that they share with its own samples. Whichever
worker Prometheus happens to reach asks the others and adds them up, so that a scrape is the whole
server's, whoever answers it. Those that have died are counted by what they left (`remains`).
"""

import asyncio
import json
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from saccade_server.metrics.remains import exhume, worker_name, write_told
from saccade_server.metrics.sums import Families, add_up, from_plain, to_plain

log = logging.getLogger(__name__)

ASK_S = 1.0
"""How long a worker may take to tell its samples; one that takes longer is left out."""

SAVE_S = 10.0
"""Between two times that a worker writes its counters down, whether or not it is asked."""


class Family:
    """One worker's part in telling all workers' metrics.

    Args:
        folder: Shared by the workers; each keeps its socket there.
        index: This worker's number.
    """

    def __init__(self, folder: Path, index: int) -> None:
        self._folder = folder
        self._path = folder / f"{index}.sock"
        self._name = worker_name(index, os.getpid())
        self._server: asyncio.Server | None = None
        self._saving: asyncio.TimerHandle | None = None

    async def start(self, registry: CollectorRegistry) -> None:
        """Begins to tell the samples of `registry` to the others."""

        async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told = {"worker": self._name, "families": self._save(registry)}
            writer.write(json.dumps(told).encode())
            writer.close()

        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(tell, self._path)
        self._save_later(registry)

    async def stop(self) -> None:
        """Stops telling."""
        if self._saving is not None:
            self._saving.cancel()
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def collect(self) -> "Collected":
        """The samples of all workers, added up."""
        paths = sorted(self._folder.glob("*.sock"))
        told = await asyncio.gather(*map(_ask, paths))
        living = {each[0]: each[1] for each in told if each is not None}
        return Collected(from_plain(add_up(exhume(self._folder, living))))

    def _save(self, registry: CollectorRegistry) -> Families:
        families = to_plain(registry.collect())
        try:
            write_told(self._folder, self._name, families)
        except OSError as error:
            # Told all the same: what serves goes on, and so do its metrics.
            log.warning("the counters cannot be written down: %s", error)
        return families

    def _save_later(self, registry: CollectorRegistry) -> None:
        def save() -> None:
            self._save(registry)
            self._save_later(registry)

        self._saving = asyncio.get_running_loop().call_later(SAVE_S, save)


class Collected:
    """Metrics that are known already, as prometheus_client expects a registry to be."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._metrics


async def _ask(path: Path) -> tuple[str, Families] | None:
    """A worker's name and what it tells; nothing if it has just died."""
    with suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(ASK_S):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                told = json.loads(await reader.read())
                return told["worker"], told["families"]
            finally:
                writer.close()
    log.warning("worker %s tells no metrics", path.stem)
    return None
