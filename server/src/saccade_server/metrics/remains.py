"""The counters of worker processes that have died, so that the sums over all never fall.

Prometheus takes a counter that falls for one that began anew, and counts everything twice. So a
worker writes its counters down before it tells them to anybody: whatever was told outlives it. The
parent adds those of the dead up in one file; until it has, their own files stand for them.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from saccade_server.metrics.sums import Families, add_up

SUFFIX = ".told"
_GONE = "gone.json"
_GROWING = ("counter", "histogram")
_MAX_NAMES = 100
"""Of the dead, the last ones: somebody may just be reading their own files."""


def worker_name(index: int, pid: int) -> str:
    """The name of one process in a worker's place."""
    return f"{index}-{pid}"


def write_told(folder: Path, name: str, families: Families) -> None:
    """Writes down what a worker is about to tell."""
    growing = [family for family in families if family["type"] in _GROWING]
    _write(folder / f"{name}{SUFFIX}", growing)


def bury(folder: Path, name: str) -> None:
    """Adds the counters of a worker that has died to those of the others that have. For the parent.

    Raises:
        OSError: The folder cannot be written.
    """
    path = folder / f"{name}{SUFFIX}"
    told = _read(path)
    if told is None:
        return
    names, families = _read_gone(folder)
    _write(folder / _GONE, [[*names, name][-_MAX_NAMES:], add_up([families, told])])
    path.unlink(missing_ok=True)


def exhume(folder: Path, living: dict[str, Families]) -> list[Families]:
    """What all workers have told, the living and the dead.

    Args:
        folder: The workers'.
        living: What those tell that answer, by name.
    """
    # In this order: whoever is buried meanwhile is found in one of both, or in both by its name.
    silent = {path.stem: _read(path) for path in folder.glob(f"*{SUFFIX}")}
    buried, gone = _read_gone(folder)
    known = {name: told for name, told in silent.items() if told and name not in living}
    served = _versions(living.values())
    return [
        *(families for name, families in living.items() if name not in buried),
        *(_of_versions(told, served) for name, told in known.items() if name not in buried),
        _of_versions(gone, served),
    ]


def _versions(living: Iterable[Families]) -> set[tuple[str, str]]:
    """The versions that are loaded: the series of others are forgotten, here as everywhere."""
    return {
        (labels["model"], labels["version"])
        for families in living
        for family in families
        if family["name"] == "saccade_model_info"
        for _, labels, _ in family["samples"]
    }


def _of_versions(families: Families, served: set[tuple[str, str]]) -> Families:
    return [
        {
            **family,
            "samples": [
                sample
                for sample in family["samples"]
                if "version" not in sample[1]
                or (sample[1].get("model", ""), sample[1]["version"]) in served
            ],
        }
        for family in families
    ]


def _read_gone(folder: Path) -> tuple[list[str], Families]:
    names, families = _read(folder / _GONE) or ([], [])
    return names, families


def _read(path: Path) -> Any:
    """What a file holds; None if it is not there."""
    with suppress(FileNotFoundError):
        return json.loads(path.read_bytes())
    return None


def _write(path: Path, content: Any) -> None:
    """In one step, so that nobody reads half of it."""
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    beside.write_text(json.dumps(content))
    beside.replace(path)
