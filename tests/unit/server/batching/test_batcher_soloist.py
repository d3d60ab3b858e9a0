"""The worker that takes a lone request, with an engine that uses all processors."""

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker
from saccade_server.batching import Batcher, BatchingConfig
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import MAX_BATCH_IMAGES, MAX_QUEUE_IMAGES, Ask


@pytest.fixture
def soloist(clock: FakeClock) -> FakeWorker:
    """The worker beside the batcher's only other one."""
    return FakeWorker(clock)


@pytest.fixture
def batcher(worker: FakeWorker, soloist: FakeWorker, metrics: Metrics, clock: FakeClock) -> Batcher:
    """What is tested."""
    config = BatchingConfig(max_batch_images=MAX_BATCH_IMAGES, max_queue_images=MAX_QUEUE_IMAGES)
    return Batcher(
        [worker], config, metrics, model="digits", version=1, soloist=soloist, clock=clock
    )


async def test_a_lone_request_goes_to_the_soloist(
    ask: Ask, worker: FakeWorker, soloist: FakeWorker
) -> None:
    """Nothing runs and nothing else waits."""
    ask(1, 2)
    await settle()

    assert ([[1, 2]], []) == (soloist.batches, worker.batches)


async def test_who_comes_meanwhile_does_not_wait_for_the_soloist(
    ask: Ask, worker: FakeWorker, soloist: FakeWorker
) -> None:
    """The others are idle."""
    ask(1)
    ask(2)
    await settle()

    assert ([[1]], [[2]]) == (soloist.batches, worker.batches)


async def test_in_a_crowd_the_soloist_rests(
    ask: Ask, worker: FakeWorker, soloist: FakeWorker
) -> None:
    """While a worker is busy, what waits is for the workers: they share the processors."""
    for mark in (1, 2, 3):
        ask(mark)
    await settle()
    soloist.finish()
    await settle()

    assert ([[1]], [[2]]) == (soloist.batches, worker.batches)


async def test_a_request_split_into_batches_is_for_all_workers(
    ask: Ask, worker: FakeWorker, soloist: FakeWorker
) -> None:
    """Its parts are not alone."""
    ask(1, 2, 3, 4, 5)
    await settle()

    assert [[1, 2, 3, 4]] == worker.batches


async def test_the_soloist_is_closed_with_the_others(
    batcher: Batcher, worker: FakeWorker, soloist: FakeWorker
) -> None:
    """Nothing of the version is left."""
    await batcher.close()

    assert (True, True) == (worker.closed, soloist.closed)
