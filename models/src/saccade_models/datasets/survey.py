"""Looks at every file of a folder once: is it a picture, and what else is it like?"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.class_folders import read_image_file, shown
from saccade_models.datasets.resemblance import GLANCE, Sight, group_alike, see
from saccade_server.cpus import available_cpus
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import decode_image

CHUNK_FILES = 1024
"""Handed to the threads together: what waits for them is bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was seen.

    Attributes:
        good: Positions of the files that are pictures, M of them.
        damaged: The other files, each with what is wrong with it.
        digests: Shape (M,), SHA-256 of each good file.
        groups: Shape (M,), the same number for pictures that are nearly the same.
    """

    good: NDArray[np.int64]
    damaged: list[tuple[str, str]]
    digests: NDArray[np.bytes_]
    groups: NDArray[np.int64]


def survey(root: Path, files: Sequence[str]) -> Survey:
    """Reads and decodes all files, small, as many at the same time as there are processors.

    Args:
        root: The data set's folder.
        files: Relative to it.
    """
    looks: list[_Look | str] = []
    with ThreadPoolExecutor(available_cpus(), thread_name_prefix="survey") as pool:
        for start in range(0, len(files), CHUNK_FILES):
            paths = [root / name for name in files[start : start + CHUNK_FILES]]
            looks += pool.map(_look, paths)
    seen = [(position, look) for position, look in enumerate(looks) if isinstance(look, _Look)]
    digests = np.array([look.digest for _, look in seen], "S64")
    return Survey(
        good=np.array([position for position, _ in seen], np.int64),
        damaged=[
            (shown(name), look)
            for name, look in zip(files, looks, strict=True)
            if isinstance(look, str)
        ],
        digests=digests,
        groups=group_alike(digests, [look.sight for _, look in seen]) if seen else np.zeros(0, int),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    digest: str
    sight: Sight


def _look(path: Path) -> _Look | str:
    try:
        data = read_image_file(path)
        sight = see(decode_image(data, GLANCE.spec))
    except InvalidArgument as error:
        return str(error)
    except OSError as error:
        return str(error.strerror)
    return _Look(digest=hashlib.sha256(data).hexdigest(), sight=sight)
