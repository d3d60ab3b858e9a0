"""How what gRPC's core has done gets into the event loop. The core is real, and talks to nobody."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from saccade_server.transports.grpcio.completions import MOST, Completions
from saccade_server.transports.grpcio.core import core

TIMEOUT_S = 20


class Work:
    """Things that the core does when it is told to.

    Attributes:
        asleep: Whether the loop may sleep.
        looks: How often that was asked, which is when nothing was found.
    """

    def __init__(self) -> None:
        self.asleep = True
        self.looks = 0
        self._finished = False
        self.completions = Completions(asyncio.get_running_loop(), self._awake)
        self._server = core.Server((), False)
        self._server.register_completion_queue(self.completions.queue)
        self._server.start()

    def begin(self, done: Callable[[Any], object]) -> None:
        """Begins something that is not done before `finish`."""
        queue = self.completions.queue
        self._server.request_call(queue, queue, done)

    async def finish(self) -> None:
        """Everything is done now; returns when the loop knows."""
        if self._finished:
            return
        self._finished = True
        known = asyncio.get_running_loop().create_future()
        self._server.shutdown(self.completions.queue, known.set_result)
        async with asyncio.timeout(TIMEOUT_S):
            await known

    async def looks_in(self, turns: int) -> int:
        """How often it is asked in so many turns of the loop."""
        before = self.looks
        for _ in range(turns):
            await asyncio.sleep(0)
        return self.looks - before

    def _awake(self) -> bool:
        self.looks += 1
        return not self.asleep


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    """Completions are taken until the test ends."""
    work = Work()
    work.completions.start()
    yield work
    await work.finish()
    await work.completions.stop()


async def test_who_waits_is_called_in_the_loops_thread(work: Work) -> None:
    """Once, for each thing that is done."""
    threads: list[int] = []
    for _ in range(3):
        work.begin(lambda _: threads.append(threading.get_ident()))
    assert [] == threads

    await work.finish()

    assert [threading.get_ident()] * 3 == threads


async def test_the_loop_gets_on_with_other_things(work: Work) -> None:
    """However much is done at once, there is a limit to what one turn takes."""
    turns, running = [0], True

    async def turn() -> None:
        while running:
            await asyncio.sleep(0)
            turns.append(0)

    def count(_: object) -> None:
        turns[-1] += 1

    for _ in range(3 * MOST):
        work.begin(count)
    turning = asyncio.create_task(turn())
    await work.finish()
    running = False
    await turning

    assert (3 * MOST, True) == (sum(turns), max(turns) <= MOST + 1)


async def test_one_failure_keeps_nothing_else_from_being_taken(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told to the log."""
    done: list[Any] = []
    work.begin(lambda _: 1 / 0)
    work.begin(done.append)

    await work.finish()

    assert (1, ["a completion of gRPC's was not understood"]) == (len(done), caplog.messages)


async def test_a_loop_that_is_awake_looks_for_itself(work: Work) -> None:
    """One that may sleep does not, and a thread wakes it up."""
    work.asleep = False
    done: list[Any] = []
    work.begin(done.append)
    await work.finish()
    assert 1 == len(done)

    awake = await work.looks_in(100)
    work.asleep = True
    await work.looks_in(3)

    assert (True, 0) == (awake > 50, await work.looks_in(100))


async def test_no_thread_is_left_behind() -> None:
    """After a stop, whatever was taken before."""
    before = set(threading.enumerate())
    work = Work()
    work.completions.start()
    work.begin(lambda _: None)
    assert 1 == len(set(threading.enumerate()) - before)

    await work.finish()
    await work.completions.stop()

    assert set() == set(threading.enumerate()) - before
