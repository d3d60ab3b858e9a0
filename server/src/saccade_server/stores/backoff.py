"""Not asking again and again for what has just failed."""

import time
from collections.abc import Callable
from pathlib import Path

FIRST_S = 2.0
LONGEST_S = 60.0
"""Doubled from failure to failure."""


class Backoff:
    """When what failed may be tried again.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[Path, tuple[float, float, str]] = {}

    def reason(self, what: Path) -> str:
        """Why it is not to be tried now; empty: it may be."""
        until_s, _, why = self._failed.get(what, (0.0, 0.0, ""))
        return why if self._clock() < until_s else ""

    def fail(self, what: Path, why: str) -> None:
        """Counts a failure."""
        _, pause_s, _ = self._failed.get(what, (0.0, FIRST_S / 2, ""))
        pause_s = min(2 * pause_s, LONGEST_S)
        self._failed[what] = self._clock() + pause_s, pause_s, why

    def succeed(self, what: Path) -> None:
        """Forgets its failures."""
        self._failed.pop(what, None)
