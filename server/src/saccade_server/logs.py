"""The log: a line for each record on standard error, as text or as JSON, and no flood of them.

A record is one line, whatever is in it; in text a traceback follows, indented, so that nothing that
a caller sends can pass for a line of ours. A record may carry `fields`, a dictionary of text and
numbers (`extra={"fields": ...}`), which become members of the JSON object. Those that callers can
bring about have the field `code`, by which their number is limited.
"""

import atexit
import faulthandler
import json
import logging
import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

FORMATS = ("text", "json")

LINES_A_SECOND = 10
"""With one code."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_STDERR = 2


def set_up_logs(level: str, form: str, *, native: bool = False) -> None:
    """Sends the log to standard error.

    Args:
        level: The least that is shown, as in `--log-level`.
        form: One of `FORMATS`.
        native: Whether what libraries in C++ write to standard error by themselves becomes records
            too, where the form is JSON. What one writes as it ends the process may get lost.
    """
    own = os.dup(_STDERR)
    handler = LineHandler(JsonFormatter() if form == "json" else TextFormatter(), own)
    limit = RateLimit(handler.handle)
    handler.addFilter(limit)
    atexit.register(limit.close)
    root = logging.getLogger()
    for each in list(root.handlers):
        root.removeHandler(each)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    # What Pillow warns of, and at the level debug tells, is what stands in the images of callers.
    logging.getLogger("PIL").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"PIL\.")
    # It logs what is no HTTP, with the bytes; what our handlers do wrong is logged by themselves.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    if form == "json":
        _hook_exceptions()
        if native:
            _adopt_native_lines(own)


def complain(text: str) -> None:
    """Says why the process ends: to a person, or in the form of the log where that is JSON."""
    handlers = logging.getLogger().handlers
    if any(isinstance(each.formatter, JsonFormatter) for each in handlers):
        logging.getLogger(__name__).critical("%s", text)
    else:
        print(text, file=sys.stderr)  # noqa: T201 - it is meant for the terminal


class LineHandler(logging.Handler):
    """Writes each record at once, so that lines of several processes do not mix.

    Args:
        formatter: Makes a line, or several.
        descriptor: Of the file.
    """

    def __init__(self, formatter: logging.Formatter, descriptor: int) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._descriptor = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record. Where nobody reads the log any more, the server goes on without."""
        data = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        with suppress(OSError):
            while data:
                data = data[os.write(self._descriptor, data) :]


class TextFormatter(logging.Formatter):
    """For people: time, level, logger, message, fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and an indented traceback below it."""
        words = [_time(record), record.levelname, record.name, _escape(_message(record))]
        words += [f"{name}={_escape(str(value))}" for name, value in _fields(record).items()]
        lines = [_escape(line) for line in _traceback(self, record).splitlines()]
        return "\n    ".join([" ".join(words), *lines])


class JsonFormatter(logging.Formatter):
    """For machines: one object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, in ASCII, with the traceback in `error`."""
        shown = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "pid": record.process,
            **_fields(record),
        }
        if traceback := _traceback(self, record):
            shown["error"] = traceback
        clean = {key: _clean(value) for key, value in shown.items()}
        return json.dumps(clean, allow_nan=False)


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
        code = _fields(record).get("code")
        if not isinstance(code, str) or self._has_room(code):
            return True
        if not record.exc_info:
            return False
        record.exc_info = None
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


def _hook_exceptions() -> None:
    """Makes records of exceptions that nobody catches, which Python would print by itself."""
    log = logging.getLogger(__name__)

    def at_the_end(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log.critical("the process ends", exc_info=(kind, error, trace))

    def in_a_thread(given: threading.ExceptHookArgs) -> None:
        log.error("a thread ended", exc_info=given.exc_value)

    def nowhere(given: "sys.UnraisableHookArgs") -> None:
        log.error("%s", given.err_msg or "an exception that nobody gets", exc_info=given.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = at_the_end, in_a_thread, nowhere


def _adopt_native_lines(own: int) -> None:
    """Puts a pipe in the place of standard error, whose lines become records."""
    log = logging.getLogger("native")
    read, write = os.pipe()
    # Where a crash leaves lines unread, at least Python's trace is seen.
    faulthandler.enable(own)
    # A library that holds the interpreter's lock must not wait for the thread below.
    os.set_blocking(write, False)
    os.dup2(write, _STDERR)
    os.close(write)

    def relay() -> None:
        with open(read, "rb") as lines:
            for line in lines:
                text = line.decode("utf-8", "backslashreplace").rstrip()
                # "I0000 ..." and "INFO: ..." are how they mark what is no trouble.
                log.log(logging.INFO if text.startswith("I") else logging.WARNING, "%s", text)

    thread = threading.Thread(target=relay, name="native-lines", daemon=True)
    thread.start()

    def give_back() -> None:
        # Closes the pipe's last end, so that what is in it is read to the end.
        os.dup2(own, _STDERR)
        thread.join(1.0)

    atexit.register(give_back)


def _time(record: logging.LogRecord) -> str:
    """RFC 3339, in UTC."""
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong call of the logger must not cost the line
        return f"a message of {record.pathname}:{record.lineno} that cannot be put together"


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    fields: Mapping[str, object] = getattr(record, "fields", {})
    return fields


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    # True stands for "no exception is being handled" in calls that ask for one.
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def _escape(text: str) -> str:
    """Text that stays on its line."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _clean(value: object) -> object:
    """A value that every reader of JSON takes: no half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
