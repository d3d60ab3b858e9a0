"""A batcher of one worker and small bounds, on a clock that the test moves."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry

from fixtures.clock import FakeClock
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Batcher, BatchingConfig, Scores
from saccade_server.metrics import Metrics

MAX_BATCH_IMAGES = 4
MAX_QUEUE_IMAGES = 8

Ask = Callable[..., asyncio.Task[Scores]]


@pytest.fixture
def clock() -> FakeClock:
    """The batcher's clock."""
    return FakeClock()


@pytest.fixture
def worker(clock: FakeClock) -> FakeWorker:
    """The batcher's only worker."""
    return FakeWorker(clock)


@pytest.fixture
def metrics() -> Metrics:
    """The batcher's metrics."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def batcher(worker: FakeWorker, metrics: Metrics, clock: FakeClock) -> Batcher:
    """What is tested."""
    config = BatchingConfig(max_batch_images=MAX_BATCH_IMAGES, max_queue_images=MAX_QUEUE_IMAGES)
    return Batcher([worker], config, metrics, model="digits", version=1, clock=clock)


@pytest.fixture
def ask(batcher: Batcher) -> Iterator[Ask]:
    """Submits a request with images of these marks, in a task of its own."""
    tasks: list[asyncio.Task[Scores]] = []

    def submit(
        *marks: int, side: int = 2, deadline: float | None = None, urgent: bool = False
    ) -> asyncio.Task[Scores]:
        call = batcher.submit(images(*marks, side=side), deadline=deadline, urgent=urgent)
        tasks.append(asyncio.ensure_future(call))
        return tasks[-1]

    yield submit
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # Seen by the test, or of no interest to it.


def marks(scores: Scores) -> list[int]:
    """The marks of the images that were answered, in order."""
    return [int(score) for score in scores.probabilities[:, 0]]
