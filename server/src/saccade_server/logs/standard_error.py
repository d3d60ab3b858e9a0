"""Where the log goes, and what else would be written there."""

import atexit
import faulthandler
import logging
import os
import sys
import threading
import warnings
from contextlib import suppress
from types import TracebackType

from saccade_server.logs.formats import JsonFormatter, TextFormatter, on_one_line
from saccade_server.logs.limit import RateLimit, limit_log

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
    limit_log(limit)
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
    # So does this one with metadata that is no text, and that may be a token.
    logging.getLogger("grpc._cython.cygrpc").setLevel(logging.CRITICAL)
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
        print(on_one_line(text), file=sys.stderr)  # noqa: T201 - it is meant for the terminal


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
