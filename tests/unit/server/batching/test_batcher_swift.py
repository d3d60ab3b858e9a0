"""A graph whose calls are shorter than the way to another thread and back."""

import asyncio

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Batcher, BatchingConfig, Scores
from saccade_server.batching.line import SWIFT_S
from saccade_server.errors import EngineError, Unavailable
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import Ask, learn_alone, marks

SWIFT = SWIFT_S / 2


async def test_a_lone_request_is_run_at_once(ask: Ask, worker: FakeWorker) -> None:
    """In the thread of the event loop; the answer is there without the test's help."""
    await learn_alone(ask, worker, SWIFT)
    scores = await ask(7)

    assert ([7], [[7]]) == (marks(scores), worker.at_once)


async def test_the_first_request_goes_to_the_worker(ask: Ask, worker: FakeWorker) -> None:
    """Nobody knows yet how long it takes."""
    ask(7)
    await settle()

    assert ([[7]], []) == (worker.batches, worker.at_once)


async def test_a_longer_call_goes_to_the_worker(ask: Ask, worker: FakeWorker) -> None:
    """The loop has more to do than to wait for it."""
    await learn_alone(ask, worker, 2 * SWIFT_S)
    ask(7)
    await settle()

    assert ([[7]], []) == (worker.batches, worker.at_once)


async def test_a_graph_that_may_run_for_ever_stays_in_its_thread(
    metrics: Metrics, clock: FakeClock
) -> None:
    """The probes answer whatever it does."""
    worker = FakeWorker(clock, bounded=False)
    batcher = Batcher([worker], BatchingConfig(), metrics, model="digits", version=1, clock=clock)

    def ask(mark: int) -> asyncio.Task[Scores]:
        return asyncio.ensure_future(batcher.submit(images(mark)))

    await learn_alone(ask, worker, SWIFT)
    ask(7)
    await settle()
    worker.finish()

    assert ([[7]], []) == (worker.batches, worker.at_once)


async def test_what_comes_in_one_turn_of_the_loop_is_one_batch(
    ask: Ask, worker: FakeWorker
) -> None:
    """The first of them does not run ahead, and the worker has them all."""
    await learn_alone(ask, worker, SWIFT)
    for mark in (1, 2, 3):
        ask(mark)
    await settle()

    assert ([[1, 2, 3]], []) == (worker.batches, worker.at_once)


async def test_what_comes_beside_a_batch_waits_for_it(ask: Ask, worker: FakeWorker) -> None:
    """An engine runs one call at a time, whichever thread it is called from."""
    await learn_alone(ask, worker, SWIFT)
    ask(1)
    ask(2)
    await settle()
    third = ask(3)
    await settle()
    before = list(worker.batches)
    worker.finish()
    worker.finish()

    assert ([[1, 2]], [3]) == (before, marks(await third))


async def test_behind_a_batch_of_several_the_worker_is_asked(ask: Ask, worker: FakeWorker) -> None:
    """There are more callers than one: the loop has to read what the others send."""
    await learn_alone(ask, worker, SWIFT)
    for mark in (1, 2):
        ask(mark)
    await settle()
    worker.finish(after_s=SWIFT)
    ask(3)
    await settle()

    assert ([[1, 2], [3]], []) == (worker.batches, worker.at_once)


async def test_a_failure_is_that_of_its_request_alone(ask: Ask, worker: FakeWorker) -> None:
    """The next one is answered."""
    await learn_alone(ask, worker, SWIFT)
    worker.error = EngineError("the graph stumbled")
    with pytest.raises(EngineError, match="the graph stumbled"):
        await ask(7)
    worker.error = None

    assert [8] == marks(await ask(8))


async def test_a_request_that_was_given_up_is_not_run(ask: Ask, worker: FakeWorker) -> None:
    """Not even when its caller left in the very turn in which it came."""
    await learn_alone(ask, worker, SWIFT)
    asked = ask(7)
    asked.get_loop().call_soon(asked.cancel)
    await settle()

    assert [] == worker.batches


async def test_what_waits_for_the_end_of_the_turn_is_answered_before_the_end(
    ask: Ask, worker: FakeWorker, batcher: Batcher
) -> None:
    """Closing loses nothing that was taken on."""
    await learn_alone(ask, worker, SWIFT)
    asked = ask(7)
    closing = asked.get_loop().create_task(batcher.close())
    await closing

    assert ([7], True) == (marks(await asked), worker.closed)
    with pytest.raises(Unavailable):
        await ask(8)
