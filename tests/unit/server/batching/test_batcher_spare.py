"""Images for whose answer nobody waits: they never keep anybody from an engine."""

import asyncio

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Batcher
from saccade_server.errors import Overloaded
from unit.server.batching.conftest import Ask, marks


async def test_they_run_when_there_is_nothing_else_to_do(
    batcher: Batcher, worker: FakeWorker
) -> None:
    """And are answered."""
    spare = asyncio.ensure_future(batcher.submit_spare(images(1, 2)))
    await settle()
    worker.finish()

    assert [1, 2] == marks(await spare)


async def test_they_are_refused_while_an_engine_works(
    batcher: Batcher, ask: Ask, worker: FakeWorker
) -> None:
    """Even if nothing waits."""
    ask(1)
    await settle()

    with pytest.raises(Overloaded):
        await batcher.submit_spare(images(2))


async def test_they_are_refused_while_images_are_decoded(batcher: Batcher) -> None:
    """Those come next."""
    with batcher.reserve(1), pytest.raises(Overloaded):
        await batcher.submit_spare(images(2))


async def test_what_comes_meanwhile_goes_before_their_rest(
    batcher: Batcher, ask: Ask, worker: FakeWorker
) -> None:
    """Only the engine call that has begun is finished; they share no batch with anything."""
    spare = asyncio.ensure_future(batcher.submit_spare(images(1, 2, 3, 4, 5, 6)))
    await settle()
    ask(9)
    await settle()
    for _ in range(3):
        worker.finish()
        await settle()

    assert ([[1, 2, 3, 4], [9], [5, 6]], 6) == (worker.batches, len(marks(await spare)))


async def test_nobody_is_refused_for_them(
    batcher: Batcher, ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """They take no room in the queue."""
    spare = asyncio.ensure_future(batcher.submit_spare(images(*range(40))))
    await settle()
    whole = ask(*range(8))
    await settle()
    queued = batcher.queued_images
    spare.cancel()
    while worker.busy:
        worker.finish()
        await settle()

    assert (8, 8) == (queued, len(marks(await whole)))
