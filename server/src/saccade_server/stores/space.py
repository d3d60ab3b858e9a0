"""The room that mirrors may take on the disk."""

import errno
import shutil
from pathlib import Path

from saccade_server.stores.layout import (
    FETCHING,
    RECORD,
    drop_download,
    drop_files,
    fetching,
)
from saccade_server.stores.locks import use_lock

SPARE_BYTES = 256 << 20
"""Left free on the disk for everybody else."""


def make_room(mirrors: Path, need_bytes: int, max_bytes: int, *, keep: Path) -> None:
    """Removes versions that nobody uses, those first that were used longest ago, as need be.

    Args:
        mirrors: The folder of all mirrors.
        need_bytes: That are going to be written.
        max_bytes: That all mirrors may take.
        keep: A version that stays.

    Raises:
        OSError: ENOSPC: there is not enough room, whatever is removed.
    """
    for left in mirrors.rglob(f"{FETCHING}*"):
        if left != fetching(keep):
            drop_download(left)
    unused = [each for each in _fetched(mirrors) if each != keep]
    unused.sort(key=_last_used_s)
    while True:
        taken = sum(_bytes(file) for file in mirrors.rglob("*"))
        free = shutil.disk_usage(mirrors).free - SPARE_BYTES
        if taken + need_bytes <= max_bytes and need_bytes <= free:
            return
        if not unused:
            raise OSError(
                errno.ENOSPC,
                f"there is no room for {need_bytes >> 20} MiB more: the mirrors have "
                f"{taken >> 20} of {max_bytes >> 20} MiB (--mirror-gb), the disk has "
                f"{max(0, free) >> 20}",
            )
        drop_files(unused.pop(0))


def _fetched(mirrors: Path) -> list[Path]:
    """All versions that were fetched: of repositories, and of models by themselves."""
    found = [*mirrors.glob(f"*/*/{RECORD}"), *mirrors.glob(f"*/*/*/{RECORD}")]
    return [each.parent for each in found if each.parent.name.isdecimal()]


def _last_used_s(version: Path) -> float:
    try:
        return use_lock(version).stat().st_mtime
    except OSError:
        return 0.0


def _bytes(file: Path) -> int:
    try:
        status = file.lstat()
    except OSError:  # Removed in between.
        return 0
    return status.st_size
