"""What a failing engine call does to the requests in it, and to the batcher."""

import asyncio

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker
from saccade_server.errors import DeadlineExceeded, EngineError
from unit.server.batching.conftest import Ask, marks

BROKEN = EngineError("the graph stumbled")


async def test_a_failed_batch_is_tried_again_one_by_one(ask: Ask, worker: FakeWorker) -> None:
    """Each request of it gets a call of its own, in order, before anything else."""
    ask(0)
    ask(1)
    ask(2)
    await settle()
    worker.finish()
    ask(3, urgent=True)
    await settle()
    worker.fail(BROKEN)
    worker.finish()
    worker.finish()

    assert [[0], [1, 2], [1], [2], [3]] == worker.batches


async def test_only_the_guilty_request_fails(ask: Ask, worker: FakeWorker) -> None:
    """Its neighbours in the batch are answered."""
    ask(0)
    asked = [ask(1), ask(2), ask(3)]
    await settle()
    worker.finish()
    worker.fail(BROKEN)
    worker.finish()
    worker.fail(BROKEN)
    worker.finish()
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert [[1], BROKEN, [3]] == [
        answer if isinstance(answer, BaseException) else marks(answer) for answer in answers
    ]


async def test_a_request_that_failed_alone_is_not_tried_again(ask: Ask, worker: FakeWorker) -> None:
    """Its error is the engine's."""
    asked = ask(1)
    await settle()
    worker.fail(BROKEN)
    with pytest.raises(EngineError, match="the graph stumbled"):
        await asked

    assert [[1]] == worker.batches


async def test_a_failed_call_does_not_end_the_worker(ask: Ask, worker: FakeWorker) -> None:
    """The next request is answered by the same worker."""
    ask(1)
    await settle()
    worker.fail(BROKEN)
    asked = ask(2)
    await settle()
    worker.finish()

    assert [2] == marks(await asked)


async def test_a_failed_part_fails_its_request(ask: Ask, worker: FakeWorker) -> None:
    """There is no answer to half of the images."""
    asked = ask(*range(6))
    await settle()
    worker.fail(BROKEN)

    with pytest.raises(EngineError, match="the graph stumbled"):
        await asked


async def test_the_other_parts_of_a_failed_request_are_dropped(
    ask: Ask, worker: FakeWorker
) -> None:
    """Nobody waits for them any more, but for the one that the worker had already taken."""
    asked = ask(*range(10))
    await settle()
    worker.fail(BROKEN)
    await asyncio.wait([asked])
    worker.finish()

    assert [[0, 1, 2, 3], [4, 5, 6, 7]] == worker.batches


async def test_no_second_try_for_a_caller_that_has_gone(ask: Ask, worker: FakeWorker) -> None:
    """Of the failed batch only the requests that are still wanted get a call of their own."""
    ask(0)
    ask(1)
    gone = ask(2)
    ask(3)
    await settle()
    worker.finish()
    gone.cancel()
    await settle()
    worker.fail(BROKEN)
    worker.finish()

    assert [[0], [1, 2, 3], [1], [3]] == worker.batches


async def test_no_second_try_after_the_deadline(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """A request of a failed batch whose time is over is told so."""
    ask(0)
    ask(1)
    late = ask(2, deadline=clock() + 1.0)
    await settle()
    worker.finish()
    worker.fail(BROKEN)
    worker.finish(after_s=2.0)

    with pytest.raises(DeadlineExceeded):
        await late
