"""A bound for the lines that callers can bring about: those with the field `code`."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from saccade_server.logs.formats import fields_of

LINES_A_SECOND = 10
"""With one code."""


_set_up: list["RateLimit"] = []
"""Those of the process' log; one at most."""


def limit_log(limit: "RateLimit") -> None:
    """Tells the process which limit its log has."""
    _set_up[:] = [limit]


def log_is_full(code: str) -> bool:
    """Whether the log would leave out a line with this code; it is counted as if it had come.

    A record that is made and left out costs nearly as much as all else of a refusal.
    """
    return bool(_set_up) and _set_up[0].leaves_out(code)


@dataclass(slots=True)
class _Window:
    """What was logged of one code since a moment."""

    since: float
    lines: int = 0
    left_out: int = 0


class RateLimit(logging.Filter):
    """Lets a bounded number of records with the same `code` pass in a second.

    Says a second later how many it left out. Of errors with a traceback only that is left out: a
    caller has been told an id that must be found.

    Args:
        tell: Takes the record that says so.
        most: Records of a code in a second.
        clock: Seconds of a monotonic clock.
        later: Calls a function after so many seconds.
    """

    def __init__(
        self,
        tell: Callable[[logging.LogRecord], object],
        *,
        most: int = LINES_A_SECOND,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] | None = None,
    ) -> None:
        super().__init__()
        self._tell = tell
        self._most = most
        self._clock = clock
        self._later = later or _call_later
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be shown."""
        code = fields_of(record).get("code")
        if not isinstance(code, str) or self._has_room(code):
            return True
        if not record.exc_info:
            return False
        record.exc_info = None
        return True

    def leaves_out(self, code: str) -> bool:
        """Whether more lines with this code have come than fit; this one is then counted."""
        with self._lock:
            window = self._windows.get(code)
            if window is None or not window.left_out:
                return False
            window.left_out += 1
        return True

    def close(self) -> None:
        """Says now what it would have said later."""
        for code in list(self._windows):
            self._sum_up(code)

    def _has_room(self, code: str) -> bool:
        now = self._clock()
        with self._lock:
            window = self._windows.setdefault(code, _Window(now))
            if now - window.since >= 1 and not window.left_out:
                window.since, window.lines = now, 0
            window.lines += 1
            if window.lines <= self._most:
                return True
            window.left_out += 1
            first = window.left_out == 1
        if first:
            self._later(1.0, lambda: self._sum_up(code))
        return False

    def _sum_up(self, code: str) -> None:
        """Says how many were left out, and lets the next ones pass."""
        with self._lock:
            window = self._windows.pop(code, None)
        left_out = window.left_out if window else 0
        if not left_out:
            return
        what = "tracebacks of" if code == "INTERNAL" else "lines with the code"
        message = f"{left_out} more {what} {code} in the last second are not shown"
        record = logging.LogRecord(__name__, logging.WARNING, "", 0, message, None, None)
        record.fields = {"left_out": left_out}
        self._tell(record)


def _call_later(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
