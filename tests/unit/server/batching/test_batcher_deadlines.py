"""Batches that are in time for everybody in them."""

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker
from unit.server.batching.conftest import Ask


async def learn_a_second_an_image(ask: Ask, worker: FakeWorker) -> None:
    """Lets the batcher see calls of one and of two images that took a second for each."""
    for request in ((1,), (1, 2)) * 20:
        asked = ask(*request)
        await settle()
        worker.finish(after_s=float(len(request)))
        await asked
    worker.batches.clear()


async def test_nobody_joins_a_batch_that_would_be_late_by_it(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """A batch of four takes four seconds; its first has three left when the engine is free."""
    await learn_a_second_an_image(ask, worker)
    ask(0)
    await settle()
    ask(1, deadline=clock() + 4.5)
    for mark in (2, 3, 4):
        ask(mark)
    await settle()
    worker.finish(after_s=1.0)
    await settle()

    assert [[0], [1, 2, 3]] == worker.batches


async def test_who_has_little_time_does_not_join_a_batch_that_takes_longer(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """The newcomer would be late in a batch of three; behind one of two it is late as well."""
    await learn_a_second_an_image(ask, worker)
    ask(0)
    await settle()
    ask(1, 2)
    ask(3, deadline=clock() + 4.2)
    await settle()
    worker.finish(after_s=1.5)
    await settle()

    assert [[0], [1, 2]] == worker.batches


async def test_what_would_be_late_by_its_own_cost_is_not_computed(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """It waited longer than expected, and half a second is left for a call of one."""
    await learn_a_second_an_image(ask, worker)
    ask(0)
    await settle()
    ask(1, deadline=clock() + 2.5)
    ask(2)
    await settle()
    worker.finish(after_s=2.0)
    await settle()

    assert [[0], [2]] == worker.batches
