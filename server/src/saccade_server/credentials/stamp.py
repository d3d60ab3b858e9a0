"""Whether a file is still the one that was read."""

from pathlib import Path

Stamp = tuple[int, int, int, int]


def stamp(path: Path) -> Stamp:
    """What differs once a file, or a symbolic link on the way to it, has been replaced.

    Raises:
        OSError: It is not there.
    """
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev
