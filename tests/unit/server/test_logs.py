"""The forms of the log, and its bound."""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from fixtures.clock import FakeClock
from saccade_server.logs import (
    JsonFormatter,
    LineHandler,
    RateLimit,
    TextFormatter,
    limit_log,
    log_is_full,
)

NASTY = {
    "lines": "one\ntwo\r\nthree",
    "controls": "".join(map(chr, range(32))) + "\x7f\x85\u2028\u2029",
    "escapes": "\x1b[31mred\x1b[0m",
    "quotes": "\"quoted\" 'text' \\ back",
    "not UTF-8": b"caf\xe9 \xff\xfe".decode("utf-8", "surrogateescape"),
    "half a pair": "\ud83d and \udc00",
    "other scripts": "Zürich 日本 🙂",
    "forged": "\n2026-01-01T00:00:00.000000Z CRITICAL root all is lost",
}


class Broken:
    """What cannot be written."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def record_of(message: Any, *arguments: Any, fields: Any = None, error: Any = None) -> Any:
    """A record as a logger makes it."""
    trouble = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("a.b", logging.WARNING, "file.py", 7, message, arguments, trouble)
    record.created = 1_700_000_000.25
    if fields is not None:
        record.fields = fields
    return record


def as_json(record: logging.LogRecord) -> Any:
    """A record as a reader gets it; fails where a strict one would."""

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    line = JsonFormatter().format(record)
    assert "\n" not in line
    line.encode("ascii")
    read = json.loads(line, parse_constant=refuse)
    json.dumps(read, ensure_ascii=False).encode()
    return read


def test_a_record_is_an_object() -> None:
    """With the time in UTC, as RFC 3339 has it."""
    assert {
        "time": "2023-11-14T22:13:20.250000Z",
        "level": "warning",
        "logger": "a.b",
        "message": "3 of four",
        "pid": os.getpid(),
        "code": "NOT_FOUND",
        "duration_s": 0.25,
    } == as_json(record_of("%d of %s", 3, "four", fields={"code": "NOT_FOUND", "duration_s": 0.25}))


@pytest.mark.parametrize("name", NASTY)
def test_any_text_is_one_valid_object(name: str) -> None:
    """As message, argument, field and in a traceback."""
    text = NASTY[name]
    read = as_json(record_of("%s", text, fields={"peer": text}, error=ValueError(text)))

    assert read["message"] == read["peer"] == text.encode("utf-8", "backslashreplace").decode()
    assert "Error" in read["error"]


def test_a_traceback_is_a_member_of_the_object() -> None:
    """With its line ends, on the one line."""
    try:
        raise KeyError("lost") from RuntimeError("cause")
    except KeyError as error:
        read = as_json(record_of("failed", error=error))

    assert read["error"].startswith("RuntimeError: cause\n")
    assert read["error"].endswith("KeyError: 'lost'")


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()], ids=["json", "text"])
@pytest.mark.parametrize("arguments", [(1,), (1, 2, 3), (Broken(),)], ids=["few", "many", "broken"])
def test_a_wrong_call_of_the_logger_costs_no_line(
    formatter: logging.Formatter, arguments: tuple[Any, ...]
) -> None:
    """It says where the call stands."""
    assert "a message of file.py:7 that" in formatter.format(record_of("%d %d", *arguments))


def test_an_exception_that_cannot_be_written_costs_no_line() -> None:
    """Its kind is told."""
    assert "Exception" in as_json(record_of("failed", error=Exception(Broken())))["error"]


def test_text_is_for_people() -> None:
    """Time, level, logger, message, and the fields behind."""
    record = record_of("no model 'x'", fields={"code": "NOT_FOUND", "peer": ""})

    assert (
        "2023-11-14T22:13:20.250000Z WARNING a.b no model 'x' code=NOT_FOUND peer="
        == TextFormatter().format(record)
    )


@pytest.mark.parametrize("name", NASTY)
def test_no_text_can_pass_for_a_line_of_ours(name: str) -> None:
    """What follows a line is indented, and no control character reaches a terminal."""
    text = NASTY[name]
    shown = TextFormatter().format(record_of(text, fields={"peer": text}, error=ValueError(text)))
    first, *others = shown.split("\n")

    assert first.startswith("2023-11-14T22:13:20.250000Z WARNING a.b ")
    assert all(line.startswith("    ") for line in others)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", shown)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe in the place of standard error."""
    read, write = os.pipe()
    yield read, write
    for each in (read, write):
        with suppress(OSError):
            os.close(each)


def test_a_line_is_written_whole(pipe: tuple[int, int]) -> None:
    """At once, in UTF-8."""
    read, write = pipe
    LineHandler(TextFormatter(), write).handle(record_of("Zürich"))

    assert "2023-11-14T22:13:20.250000Z WARNING a.b Zürich\n" == os.read(read, 1000).decode()


def test_a_log_that_nobody_reads_stops_nobody(pipe: tuple[int, int]) -> None:
    """The reader has gone."""
    read, write = pipe
    os.close(read)

    LineHandler(TextFormatter(), write).handle(record_of("heard by none"))


class Later:
    """Calls that wait for the test."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def pass_by(self) -> None:
        """Their time has come."""
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Limited:
    """A limit of two lines a second, and what it has said of itself."""

    def __init__(self) -> None:
        self.clock, self.later = FakeClock(), Later()
        self.told: list[str] = []
        self._limit = RateLimit(
            lambda record: self.told.append(record.getMessage()),
            most=2, clock=self.clock, later=self.later,
        )  # fmt: skip

    def close(self) -> None:
        """The process ends."""
        self._limit.close()

    def leaves_out(self, code: str) -> bool:
        """Whether it would leave out a line of which no record is made."""
        return self._limit.leaves_out(code)

    def show(self, code: str | None, count: int, error: Exception | None = None) -> list[Any]:
        """The records that pass, of so many."""
        fields = None if code is None else {"code": code}
        records = [record_of("failed", fields=fields, error=error) for _ in range(count)]
        return [record for record in records if self._limit.filter(record)]


def test_a_flood_of_failures_is_a_few_lines_and_a_number() -> None:
    """The number comes a second later, also where nothing follows."""
    limited = Limited()
    shown = limited.show("NOT_FOUND", 1000)
    limited.later.pass_by()

    assert 2 == len(shown)
    assert limited.told == [
        "998 more lines with the code NOT_FOUND in the last second are not shown"
    ]


def test_lines_that_would_be_left_out_need_no_records() -> None:
    """Who asks first is told so, and they are in the number; others have their room."""
    limited = Limited()
    limited.show("NOT_FOUND", 3)
    left_out = [limited.leaves_out("NOT_FOUND") for _ in range(7)]
    limited.later.pass_by()

    assert ([True] * 7, False) == (left_out, limited.leaves_out("UNAVAILABLE"))
    assert ["8 more lines with the code NOT_FOUND in the last second are not shown"] == limited.told


def test_the_limit_of_the_process_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the log has room for everything."""
    monkeypatch.setattr("saccade_server.logs.limit._set_up", [])
    without = log_is_full("NOT_FOUND")
    limit = RateLimit(lambda _: None, most=0, clock=FakeClock(), later=Later())
    limit_log(limit)
    limit.filter(record_of("failed", fields={"code": "NOT_FOUND"}))

    assert (False, True) == (without, log_is_full("NOT_FOUND"))


def test_there_is_room_for_lines_at_first_and_after_the_number() -> None:
    """Then records are made, and counted by the limit itself."""
    limited = Limited()
    at_first = limited.leaves_out("NOT_FOUND")
    limited.show("NOT_FOUND", 3)
    limited.later.pass_by()

    assert (False, False) == (at_first, limited.leaves_out("NOT_FOUND"))


def test_after_the_number_lines_pass_again() -> None:
    """The bound is one of each second."""
    limited = Limited()
    limited.show("NOT_FOUND", 3)
    limited.clock.advance(1)
    limited.later.pass_by()

    assert 2 == len(limited.show("NOT_FOUND", 2))


def test_at_the_end_the_number_is_told_at_once() -> None:
    """The process does not wait for it, and it comes once."""
    limited = Limited()
    limited.show("NOT_FOUND", 5)
    limited.close()
    limited.later.pass_by()

    assert ["3 more lines with the code NOT_FOUND in the last second are not shown"] == (
        limited.told
    )


def test_few_failures_are_all_shown() -> None:
    """However many there are over time; nothing is said of lines left out."""
    limited = Limited()
    shown = 0
    for _ in range(5):
        shown += len(limited.show("NOT_FOUND", 2))
        limited.clock.advance(1)

    assert (10, []) == (shown, limited.later.calls)


def test_each_code_has_a_bound_of_its_own() -> None:
    """A flood of one does not hide the other."""
    limited = Limited()
    limited.show("NOT_FOUND", 1000)

    assert 2 == len(limited.show("UNAVAILABLE", 1000))


def test_a_fault_of_ours_is_never_left_out() -> None:
    """Its caller was told an id; only the tracebacks of many are."""
    limited = Limited()
    shown = limited.show("INTERNAL", 5, error=ValueError("bug"))
    limited.later.pass_by()

    assert [True, True, False, False, False] == [bool(each.exc_info) for each in shown]
    assert ["3 more tracebacks of INTERNAL in the last second are not shown"] == limited.told


def test_a_callers_fault_of_the_same_code_is_left_out() -> None:
    """A message that is cut off is INTERNAL by gRPC's rules; no id was told for it."""
    assert 2 == len(Limited().show("INTERNAL", 1000))


def test_what_is_no_request_has_no_bound() -> None:
    """The server's own lines are few."""
    assert 1000 == len(Limited().show(None, 1000))
