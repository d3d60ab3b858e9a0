"""The end of a batcher, and what it says about its health."""

import asyncio

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker
from saccade_server.batching import Batcher
from saccade_server.errors import Unavailable
from unit.server.batching.conftest import Ask, marks


async def test_close_finishes_what_is_queued(
    batcher: Batcher, ask: Ask, worker: FakeWorker
) -> None:
    """What was accepted is answered."""
    asked = [ask(0), ask(1), ask(2)]
    await settle()
    closing = asyncio.ensure_future(batcher.close())
    await settle()
    worker.finish()
    worker.finish()
    await closing

    assert [[0], [1], [2]] == [marks(await each) for each in asked]


async def test_close_waits_for_what_is_queued(
    batcher: Batcher, ask: Ask, worker: FakeWorker
) -> None:
    """The worker is closed only when nothing needs it any more."""
    ask(0)
    ask(1)
    await settle()
    closing = asyncio.ensure_future(batcher.close())
    await settle()
    worker.finish()
    await settle()
    before = worker.closed
    worker.finish()
    await closing

    assert (False, True) == (before, worker.closed)


async def test_a_closing_batcher_refuses(batcher: Batcher, ask: Ask, worker: FakeWorker) -> None:
    """New requests are Unavailable, so that their callers go elsewhere."""
    ask(0)
    await settle()
    closing = asyncio.ensure_future(batcher.close())
    await settle()
    with pytest.raises(Unavailable) as refused:
        await ask(1)
    worker.finish()
    await closing

    assert "this version is being unloaded: try again" == refused.value.message


async def test_close_answers_a_large_request_of_the_same_moment(
    batcher: Batcher, ask: Ask, worker: FakeWorker
) -> None:
    """A request that was accepted just before, in several parts, is answered whole."""
    asked = ask(*range(6))
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(batcher.close())
    await settle()
    worker.finish()
    worker.finish()
    await closing

    assert list(range(6)) == marks(await asked)


async def test_without_work_nothing_is_stalled(batcher: Batcher, clock: FakeClock) -> None:
    """However long nobody asks."""
    clock.advance(3600)

    assert 0 == batcher.stalled_s


async def test_the_time_without_work_is_not_counted(
    batcher: Batcher, ask: Ask, clock: FakeClock
) -> None:
    """The first request after a quiet hour does not find a stalled batcher."""
    clock.advance(3600)
    ask(0)
    await settle()
    clock.advance(2)

    assert 2 == batcher.stalled_s


async def test_an_engine_that_hangs_is_seen(batcher: Batcher, ask: Ask, clock: FakeClock) -> None:
    """The seconds since the last progress count, also while new requests come."""
    ask(0)
    await settle()
    clock.advance(20)
    ask(1)
    await settle()
    clock.advance(20)

    assert 40 == batcher.stalled_s


async def test_a_finished_call_is_progress(
    batcher: Batcher, ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """A long queue that moves is not stalled."""
    ask(0)
    ask(1)
    await settle()
    worker.finish(after_s=20)
    clock.advance(5)

    assert 5 == batcher.stalled_s
