"""A batcher of one worker and small bounds, on a clock that the test moves."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Announced, Batcher, BatchingConfig, Scores
from saccade_server.batching.crew import LONE_BATCHES
from saccade_server.batching.gathering import GATHER_S, GATHER_TURNS
from saccade_server.metrics import Metrics

MAX_BATCH_IMAGES = 4
MAX_QUEUE_IMAGES = 8

IMAGE_S = GATHER_S / 64
"""Of an engine's time: a batch of 32 is soon done."""

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
def announced(clock: FakeClock) -> Announced:
    """What the batcher is told of calls to come."""
    return Announced(clock)


@pytest.fixture
def batcher(
    worker: FakeWorker, metrics: Metrics, announced: Announced, clock: FakeClock
) -> Batcher:
    """What is tested."""
    config = BatchingConfig(max_batch_images=MAX_BATCH_IMAGES, max_queue_images=MAX_QUEUE_IMAGES)
    return Batcher(
        [worker], config, metrics, model="digits", version=1, announced=announced, clock=clock
    )


@pytest.fixture
def ask(batcher: Batcher) -> Iterator[Ask]:
    """Submits a request with images of these marks, in a task of its own."""
    tasks: list[asyncio.Task[Scores]] = []

    def submit(
        *marks: int,
        side: int = 2,
        deadline: float | None = None,
        urgent: bool = False,
        alone: bool = False,
    ) -> asyncio.Task[Scores]:
        call = batcher.submit(
            images(*marks, side=side), deadline=deadline, urgent=urgent, alone=alone
        )
        tasks.append(asyncio.ensure_future(call))
        return tasks[-1]

    yield submit
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # Seen by the test, or of no interest to it.


def marks(scores: Scores) -> list[int]:
    """The marks of the images that were answered, in order."""
    return [int(score) for score in scores.probabilities[:, 0]]


async def gathered() -> None:
    """Lets as many turns pass as end a gathering, and what follows."""
    for _ in range(GATHER_TURNS + 10):
        await asyncio.sleep(0)


async def learn(ask: Ask, worker: FakeWorker, image_s: float = IMAGE_S) -> None:
    """Shows what a call takes, in batches of two requests: nobody is alone."""
    worker.image_s = image_s
    for _ in range(LONE_BATCHES + 1):
        asked = [ask(0), ask(0)]
        await gathered()
        while worker.busy:
            worker.finish(after_s=len(worker.batches[-1]) * image_s)
            await gathered()
        await asyncio.gather(*asked)
    worker.batches.clear()
    worker.at_once.clear()


async def learn_alone(ask: Ask, worker: FakeWorker, seconds: float) -> None:
    """Lets the batcher see what a call of one image takes, and that requests come one by one."""
    for _ in range(LONE_BATCHES):
        asked = ask(0)
        await settle()
        worker.finish(after_s=seconds)
        await asked
    worker.batches.clear()
