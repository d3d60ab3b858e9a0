"""A batcher with a real thread: the engine takes its next batch without the event loop's help."""

import asyncio
import threading

import pytest
from prometheus_client import CollectorRegistry

from fixtures.engines import FakeEngine
from fixtures.workers import images
from saccade_server.batching import Batcher, BatchingConfig, EngineWorker, Scores
from saccade_server.batching.crew import Worker
from saccade_server.errors import EngineError
from saccade_server.metrics import Metrics


@pytest.fixture
def engine() -> FakeEngine:
    """What runs the batches."""
    return FakeEngine()


@pytest.fixture
async def batcher(engine: FakeEngine) -> Batcher:
    """One worker, batches of four."""
    worker = EngineWorker(engine, name="digits-1")
    config = BatchingConfig(max_batch_images=4, max_queue_images=64)
    return Batcher([worker], config, Metrics(CollectorRegistry()), model="digits", version=1)


async def occupy(batcher: Batcher, engine: FakeEngine) -> asyncio.Task[Scores]:
    """Lets a first request reach the engine and stay there."""
    engine.block()
    first = asyncio.create_task(batcher.submit(images(0)))
    await asyncio.to_thread(engine.wait_called)
    return first


async def test_an_engine_takes_its_next_batch_while_the_loop_is_busy(
    batcher: Batcher, engine: FakeEngine
) -> None:
    """The loop does not turn between the end of the first batch and the start of the second."""
    first = await occupy(batcher, engine)
    second = asyncio.create_task(batcher.submit(images(1, 2)))
    await asyncio.sleep(0)
    engine.release()
    engine.wait_called()
    await asyncio.gather(first, second)
    await batcher.close()

    assert [[0], [1, 2]] == engine.batches


async def test_every_request_gets_its_own_answer_from_thousands(engine: FakeEngine) -> None:
    """Whatever thread took which batch."""
    batcher = Batcher(
        [EngineWorker(engine, name=f"digits-{n}") for n in range(3)],
        BatchingConfig(max_batch_images=4, max_queue_images=10_000),
        Metrics(CollectorRegistry()),
        model="digits",
        version=1,
    )
    marks = [mark % 256 for mark in range(3000)]
    answers = await asyncio.gather(*(batcher.submit(images(mark)) for mark in marks))
    await batcher.close()

    assert marks == [round(255 * float(answer.probabilities[0, 1])) for answer in answers]


@pytest.mark.parametrize("gather", [True, False])
async def test_everybody_gets_their_own_answer_where_the_loop_helps(*, gather: bool) -> None:
    """Of a great crowd one engine runs a part in its thread and another one some in the loop's."""
    _, aside, here = engines = [FakeEngine() for _ in range(3)]
    for each in engines:
        each.bounded = True
    workers: list[Worker] = [
        EngineWorker(each, name=f"digits-{n}") for n, each in enumerate(engines)
    ]
    batcher = Batcher(
        workers[1:],
        BatchingConfig(max_batch_images=8, max_queue_images=10_000, gather=gather, few=True),
        Metrics(CollectorRegistry()),
        model="digits",
        version=1,
        wide=workers[0],
    )
    for _ in range(20):  # Tells that the graph is swift.
        await batcher.submit(images(*range(8)))
    marks = [mark % 256 for mark in range(3000)]
    answers = await asyncio.gather(*(batcher.submit(images(mark)) for mark in marks))
    await batcher.close()

    assert marks == [round(255 * float(answer.probabilities[0, 1])) for answer in answers]
    assert "digits-1" in aside.threads
    assert threading.current_thread().name in here.threads


async def test_the_batch_after_a_failed_one_is_answered(
    batcher: Batcher, engine: FakeEngine
) -> None:
    """The guilty request fails, those beside and behind it do not."""
    first = await occupy(batcher, engine)
    engine.poison = 7
    asked = [asyncio.create_task(batcher.submit(images(mark))) for mark in (7, 1, 2, 3, 4, 5)]
    await asyncio.sleep(0)
    engine.release()
    answers = await asyncio.gather(first, *asked, return_exceptions=True)
    await batcher.close()

    assert [Scores, EngineError, *[Scores] * 5] == [type(answer) for answer in answers]
