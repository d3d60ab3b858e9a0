"""Locks between the processes that share mirrors: of a version's files, and of who writes them.

They are the operating system's (flock): a process that is killed holds none.
"""

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCKS = ".locks"


def use_lock(version: Path) -> Path:
    """Shared by those who serve a version; exclusive for who removes its files."""
    return version.parent / LOCKS / f"{version.name}.use"


def write_lock(version: Path) -> Path:
    """Exclusive for who downloads a version."""
    return version.parent / LOCKS / f"{version.name}.write"


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Whether nobody else has it; if so, it is held meanwhile, exclusively."""
    held = _lock(path, fcntl.LOCK_EX)
    try:
        yield held is not None
    finally:
        if held is not None:
            os.close(held)


class Uses:
    """The versions that this process uses: nobody removes their files meanwhile."""

    def __init__(self) -> None:
        self._held: dict[Path, int] = {}

    def add(self, version: Path) -> None:
        """Holds a version, if nobody is just removing it."""
        if version not in self._held:
            held = _lock(use_lock(version), fcntl.LOCK_SH)
            if held is not None:
                self._held[version] = held
                # Tells when it was used last.
                os.utime(use_lock(version))

    def keep(self, versions: Collection[Path]) -> None:
        """Lets go of all others."""
        for version in self._held.keys() - set(versions):
            os.close(self._held.pop(version))


def _lock(path: Path, kind: int) -> int | None:
    """An open file that holds a lock; None: another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            # Who removed a version has also removed its lock, perhaps just now.
            if path.exists() and os.path.samestat(os.fstat(file), path.stat()):
                return file
        except BlockingIOError:
            os.close(file)
            return None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(file)
            raise
        os.close(file)
