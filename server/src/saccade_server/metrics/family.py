"""The metrics of all worker processes of one server, as one.

Each worker answers on a Unix socket in a folder that they share with its own samples. Whichever
worker Prometheus happens to reach asks the others and adds them up, so that a scrape is the whole
server's, whoever answers it.
"""

import asyncio
import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

log = logging.getLogger(__name__)

ASK_S = 1.0
"""How long a worker may take to tell its samples; one that takes longer is left out."""

_Families = list[dict[str, Any]]

_SAME_EVERYWHERE = (
    "saccade_model_",
    "saccade_engine_fallback",
    "process_start_time",
    "process_max_fds",
    "python_",
)
"""Of these gauges the largest counts; every other number is added up."""


class Family:
    """One worker's part in telling all workers' metrics.

    Args:
        folder: Shared by the workers; each keeps its socket there.
        index: This worker's number.
    """

    def __init__(self, folder: Path, index: int) -> None:
        self._folder = folder
        self._path = folder / f"{index}.sock"
        self._server: asyncio.Server | None = None

    async def start(self, registry: CollectorRegistry) -> None:
        """Begins to tell the samples of `registry` to the others."""

        async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(json.dumps(_to_plain(registry.collect())).encode())
            writer.close()

        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(tell, self._path)

    async def stop(self) -> None:
        """Stops telling."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def collect(self) -> "Collected":
        """The samples of all workers that answer, added up."""
        paths = sorted(self._folder.glob("*.sock"))
        told = await asyncio.gather(*map(_ask, paths))
        return Collected(merge(told))


class Collected:
    """Metrics that are known already, as prometheus_client expects a registry to be."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._metrics


def merge(told: Iterable[_Families]) -> list[Metric]:
    """Adds up the families that several workers told."""
    merged: dict[str, Metric] = {}
    values: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
    for families in told:
        for family in families:
            name = family["name"]
            if name not in merged:
                merged[name] = Metric(name, family["text"], family["type"])
            for sample, labels, value in family["samples"]:
                key = name, sample, tuple(labels.items())
                if key not in values:
                    values[key] = value
                elif name.startswith(_SAME_EVERYWHERE):
                    values[key] = max(values[key], value)
                else:
                    values[key] += value
    for (name, sample, labels), value in values.items():
        merged[name].add_sample(sample, dict(labels), value)
    return list(merged.values())


def _to_plain(metrics: Iterable[Metric]) -> _Families:
    return [
        {
            "name": metric.name,
            "text": metric.documentation,
            "type": metric.type,
            "samples": [[sample.name, sample.labels, sample.value] for sample in metric.samples],
        }
        for metric in metrics
    ]


async def _ask(path: Path) -> _Families:
    """What one worker tells; nothing if it has just died."""
    with suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(ASK_S):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                families: _Families = json.loads(await reader.read())
                return families
            finally:
                writer.close()
    log.warning("worker %s tells no metrics", path.stem)
    return []
