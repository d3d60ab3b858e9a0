"""Where the threads of one engine call run."""

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from saccade_server.engines.placement import Placement, threads_started_here

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="threads are placed on Linux, with two processors",
)


class Sleeper:
    """A thread that sleeps until it is told to end."""

    def __init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._end.wait)
        self._thread.start()
        assert self._thread.native_id is not None
        self.number = self._thread.native_id

    def end(self) -> None:
        """Ends it."""
        self._end.set()
        self._thread.join()


@pytest.fixture
def helper() -> Iterator[Sleeper]:
    """A thread that helps with calls."""
    helper = Sleeper()
    yield helper
    helper.end()


@pytest.fixture
def allowed() -> Iterator[set[int]]:
    """The processors of this thread, which has the same ones again at the end."""
    allowed = os.sched_getaffinity(0)
    yield allowed
    os.sched_setaffinity(0, allowed)


def test_a_helper_keeps_off_the_callers_processor(helper: Sleeper, allowed: set[int]) -> None:
    """It has all others."""
    cpu = min(allowed)
    Placement([helper.number], lambda: cpu).part()

    assert allowed - {cpu} == os.sched_getaffinity(helper.number)


def test_a_helper_makes_room_where_the_caller_moves(helper: Sleeper, allowed: set[int]) -> None:
    """And may run where that one was."""
    cpus = iter([min(allowed), max(allowed)])
    placement = Placement([helper.number], lambda: next(cpus))
    placement.part()
    placement.part()

    assert allowed - {max(allowed)} == os.sched_getaffinity(helper.number)


def test_the_caller_may_run_anywhere(helper: Sleeper, allowed: set[int]) -> None:
    """Others than its helpers may need its processor."""
    Placement([helper.number], lambda: min(allowed)).part()

    assert allowed == os.sched_getaffinity(0)


def test_a_helper_of_a_caller_with_one_processor_stays(helper: Sleeper, allowed: set[int]) -> None:
    """There is no other one."""
    cpu = min(allowed)
    os.sched_setaffinity(0, {cpu})
    Placement([helper.number], lambda: cpu).part()

    assert allowed == os.sched_getaffinity(helper.number)


def test_a_helper_that_has_ended_is_no_trouble(helper: Sleeper, allowed: set[int]) -> None:
    """The call goes on without it."""
    helper.end()
    Placement([helper.number], lambda: min(allowed)).part()

    assert allowed == os.sched_getaffinity(0)


def test_the_system_tells_where_the_caller_runs(helper: Sleeper, allowed: set[int]) -> None:
    """It is one of its processors."""
    Placement([helper.number]).part()

    assert len(allowed) - 1 == len(os.sched_getaffinity(helper.number) & allowed)


def test_threads_that_start_meanwhile_are_found() -> None:
    """Those of the thread that asks, and not those of others."""
    with ThreadPoolExecutor(1) as other:
        other.submit(int).result()
        with threads_started_here() as started:
            mine = Sleeper()
            theirs = other.submit(Sleeper).result()
        mine.end()
        theirs.end()

    assert [mine.number] == started


def test_the_thread_that_asks_keeps_its_name() -> None:
    """By which tools show it."""
    name = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
    before = name.read_text()
    with threads_started_here():
        pass

    assert before == name.read_text()


def test_threads_that_were_there_before_are_not_found() -> None:
    """Each engine has its own."""
    with threads_started_here() as earlier:
        first = Sleeper()
    with threads_started_here() as later:
        second = Sleeper()
    first.end()
    second.end()

    assert ([first.number], [second.number]) == (earlier, later)
