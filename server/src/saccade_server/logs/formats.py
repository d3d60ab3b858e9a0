"""The forms of the log's lines: text for people, JSON for machines.

A record is one line, whatever is in it; in text a traceback follows, indented, so that nothing that
a caller sends can pass for a line of ours. A record may carry `fields`, a dictionary of text and
numbers (`extra={"fields": ...}`), which become members of the JSON object.
"""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime

FORMATS = ("text", "json")

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class TextFormatter(logging.Formatter):
    """For people: time, level, logger, message, fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and an indented traceback below it."""
        words = [_time(record), record.levelname, record.name, on_one_line(_message(record))]
        words += [f"{name}={on_one_line(str(value))}" for name, value in fields_of(record).items()]
        lines = [on_one_line(line) for line in _traceback(self, record).splitlines()]
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
            **fields_of(record),
        }
        if traceback := _traceback(self, record):
            shown["error"] = traceback
        clean = {key: _clean(value) for key, value in shown.items()}
        return json.dumps(clean, allow_nan=False)


def fields_of(record: logging.LogRecord) -> Mapping[str, object]:
    """What a record tells beside its message."""
    fields: Mapping[str, object] = getattr(record, "fields", {})
    return fields


def _time(record: logging.LogRecord) -> str:
    """RFC 3339, in UTC."""
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong call of the logger must not cost the line
        return f"a message of {record.pathname}:{record.lineno} that cannot be put together"


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def on_one_line(text: str) -> str:
    """Text that stays on its line."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _clean(value: object) -> object:
    """A value that every reader of JSON takes: no half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
