"""Where the threads of one engine call run: never all on the processor of the one that calls.

Linux wakes a thread where it ran last. After pauses the caller and the threads that help it are
found on one processor, with another one idle: such a call takes as long as one on a single thread,
until the system parts them, which can take longer than the call.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_TASKS = Path("/proc/self/task")
_NAME = "engine"


class Placement:
    """Keeps helping threads off the processor of the thread that calls.

    They may run on all others, and the caller wherever it may. Elsewhere than on Linux, and where
    the caller has one processor only, nothing happens.

    Args:
        helpers: The system's numbers of the threads.
        current_cpu: The processor that the calling thread runs on.
    """

    def __init__(
        self, helpers: Iterable[int], current_cpu: Callable[[], int] | None = None
    ) -> None:
        self._helpers = list(helpers)
        self._current_cpu = current_cpu or _find_current_cpu()
        self._avoided = -1

    def part(self) -> None:
        """To be called before each call, by the thread that makes it."""
        if not self._helpers:
            return
        cpu = self._current_cpu()
        if cpu != self._avoided:
            self._avoided = cpu
            self._avoid(cpu)

    def _avoid(self, cpu: int) -> None:
        others = os.sched_getaffinity(0) - {cpu}
        try:
            for helper in self._helpers:
                os.sched_setaffinity(helper, others)
        except OSError:
            # There are no others, it has ended, or the container's processors have just changed.
            self._avoided = -1


@contextmanager
def threads_started_here() -> Iterator[list[int]]:
    """Collects the system's numbers of the threads that the calling one starts meanwhile.

    Also those that native code starts: a thread inherits the name of the one that starts it. The
    list is filled at the end; elsewhere than on Linux it stays empty.
    """
    started: list[int] = []
    own = threading.get_native_id()
    name = _TASKS / str(own) / "comm"
    try:
        before = _named()
        usual = name.read_text().removesuffix("\n")
        name.write_text(_NAME)
    except OSError:  # There is no such file, or it may not be written.
        yield started
        return
    try:
        yield started
    finally:
        started += _named() - before - {own}
        name.write_text(usual)


def _named() -> set[int]:
    """The threads of this process that have the name."""
    found = set()
    for task in _TASKS.iterdir():
        try:
            if (task / "comm").read_text().strip() == _NAME:
                found.add(int(task.name))
        except OSError:  # It has ended.
            continue
    return found


def _find_current_cpu() -> Callable[[], int]:
    if sys.platform != "linux":
        return lambda: -1
    # Keeps the interpreter lock: to let go of it takes longer than the call.
    current_cpu: Callable[[], int] = ctypes.PyDLL(None).sched_getcpu
    return current_cpu
