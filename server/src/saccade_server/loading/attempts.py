"""Forms that ended the process that opened them: they must not do so at each start again.

While a form is opened there is a note in the cache. A process that dies leaves its note, and the
next one knows what to be careful with. Nothing else is kept, and without a cache nothing is lost.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = "opening"


class Attempts:
    """The notes of a cache; several processes may share it.

    Args:
        cache: Where they are; need not exist.
    """

    def __init__(self, cache: Path) -> None:
        self._folder = cache / FOLDER
        self._mine: set[str] = set()

    @contextmanager
    def note(self, form: Path) -> Iterator[None]:
        """Keeps a note while a form is opened."""
        name = f"{_key(form)}-{os.getpid()}"
        self._mine.add(name)
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / name).touch()
        try:
            yield
        finally:
            self._mine.discard(name)
            with suppress(OSError):
                (self._folder / name).unlink()

    def was_fatal(self, form: Path) -> bool:
        """Whether a process has died while it opened the form."""
        return any(True for _ in self._left(form))

    def forgive(self, form: Path) -> None:
        """The form was opened elsewhere and did no harm."""
        for left in self._left(form):
            with suppress(OSError):
                left.unlink()

    def _left(self, form: Path) -> Iterator[Path]:
        """Notes of processes that are no more. In containers the next one has the same number."""
        for found in list(self._folder.glob(f"{_key(form)}-*")):
            pid = found.name.rpartition("-")[2]
            own = pid == str(os.getpid())
            if found.name not in self._mine and (own or not Path("/proc", pid).exists()):
                yield found


def _key(form: Path) -> str:
    """A name for the form as it is now, without reading it."""
    told = f"{form.resolve()} {form.stat().st_size} {form.stat().st_mtime_ns}"
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:32]
