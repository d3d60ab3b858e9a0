"""The thread that runs an engine."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from fixtures.engines import FakeEngine
from fixtures.workers import images
from saccade_server.batching import EngineWorker
from saccade_server.batching.worker import Job, Outcome, Values


@pytest.fixture
def engine() -> FakeEngine:
    """What the worker runs."""
    return FakeEngine()


@pytest.fixture
async def worker(engine: FakeEngine) -> AsyncIterator[EngineWorker]:
    """What is tested."""
    worker = EngineWorker(engine, name="digits-1")
    yield worker
    if not engine.closed:
        await worker.close()


def job(*parts: Values, done: Callable[[Outcome], None]) -> Job:
    """A batch after which there is no more."""
    return Job(parts=list(parts), done=done, more=lambda: None)


async def run(worker: EngineWorker, *parts: Values) -> Outcome:
    """Runs one batch and waits for its end."""
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    worker.start(job(*parts, done=ended.set_result))
    return await ended


async def test_the_parts_become_one_call(worker: EngineWorker, engine: FakeEngine) -> None:
    """In their order."""
    await run(worker, images(1, 2), images(3))

    assert [[1, 2, 3]] == engine.batches


async def test_the_scores_are_those_of_the_engine(worker: EngineWorker) -> None:
    """One row for each image of the batch."""
    outcome = await run(worker, images(0), images(255))

    assert outcome.probabilities is not None
    assert [[1.0, 0.0], [0.0, 1.0]] == outcome.probabilities.tolist()


async def test_bytes_and_floats_share_a_call(worker: EngineWorker, engine: FakeEngine) -> None:
    """No value is lost where requests carry both."""
    await run(worker, images(1), images(2).astype(np.float32) + 300)

    assert ([[1, 302]], [np.dtype(np.float32)]) == (engine.batches, engine.dtypes)


async def test_calls_run_in_the_thread_of_the_worker(
    worker: EngineWorker, engine: FakeEngine
) -> None:
    """Not in that of the event loop, which goes on meanwhile."""
    await run(worker, images(1))

    assert ["digits-1"] == engine.threads


async def test_a_job_can_be_run_where_one_is(worker: EngineWorker, engine: FakeEngine) -> None:
    """Its end is told before `run` returns."""
    told: list[Outcome] = []
    worker.run(job(images(1), done=told.append))

    assert ([threading.current_thread().name], 1) == (engine.threads, len(told))


async def test_the_end_is_told_in_the_thread_of_the_event_loop(worker: EngineWorker) -> None:
    """The batcher needs no locks."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    worker.start(job(images(1), done=lambda _: told.set_result(threading.current_thread().name)))

    assert threading.current_thread().name == await told


async def test_an_error_is_an_outcome(worker: EngineWorker, engine: FakeEngine) -> None:
    """Of whatever kind it is: the batcher decides what follows."""
    engine.poison, engine.error = 7, ValueError("not even an EngineError")
    outcome = await run(worker, images(7))

    assert (None, engine.error) == (outcome.probabilities, outcome.error)


async def test_parts_that_do_not_fit_together_are_an_outcome(worker: EngineWorker) -> None:
    """Putting the batch together is part of the call."""
    outcome = await run(worker, images(1, side=2), images(1, side=3))

    assert isinstance(outcome.error, ValueError)


async def test_the_worker_goes_on_after_an_error(worker: EngineWorker, engine: FakeEngine) -> None:
    """The next call is answered."""
    engine.poison = 7
    await run(worker, images(7))
    outcome = await run(worker, images(8))

    assert outcome.error is None


async def test_the_outcome_tells_when_the_call_ran(worker: EngineWorker) -> None:
    """It began before it ended."""
    outcome = await run(worker, images(1))

    assert outcome.started <= outcome.finished


async def test_close_waits_for_the_call_under_way(worker: EngineWorker, engine: FakeEngine) -> None:
    """The engine is closed when its last call has ended, not before."""
    engine.block()
    running = asyncio.ensure_future(run(worker, images(1)))
    await asyncio.to_thread(engine.wait_called)
    closing = asyncio.ensure_future(worker.close())
    await asyncio.sleep(0)
    before = engine.closed
    engine.release()
    await asyncio.gather(running, closing)

    assert (False, True) == (before, engine.closed)
