"""What is dropped from the queue: nobody waits for it any more."""

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker
from saccade_server.batching import Batcher
from saccade_server.errors import DeadlineExceeded
from unit.server.batching.conftest import Ask, marks


async def test_a_deadline_in_the_past_is_not_queued(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """The call fails at once and costs no compute."""
    with pytest.raises(DeadlineExceeded):
        await ask(1, deadline=clock())

    assert [] == worker.batches


async def test_what_expires_in_the_queue_fails(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """The answer is DeadlineExceeded, not a late result."""
    ask(0)
    late = ask(1, deadline=clock() + 1.0)
    await settle()
    worker.finish(after_s=2.0)
    with pytest.raises(DeadlineExceeded) as expired:
        await late

    assert "the deadline passed while the images were queued" == expired.value.message


async def test_what_expires_in_the_queue_costs_no_compute(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """The next batch holds only what is still wanted."""
    ask(0)
    ask(1, deadline=clock() + 1.0)
    ask(2)
    await settle()
    worker.finish(after_s=2.0)

    assert [[0], [2]] == worker.batches


async def test_a_request_whose_caller_has_gone_costs_no_compute(
    ask: Ask, worker: FakeWorker
) -> None:
    """An entry cancelled while queued is skipped when the batch forms."""
    ask(0)
    gone = ask(1)
    ask(2)
    await settle()
    gone.cancel()
    await settle()
    worker.finish()

    assert [[0], [2]] == worker.batches


async def test_a_split_request_whose_caller_has_gone_costs_no_more_compute(
    ask: Ask, worker: FakeWorker
) -> None:
    """The part that runs is finished, the others are skipped."""
    gone = ask(*range(10))
    await settle()
    gone.cancel()
    await settle()
    worker.finish()

    assert [[0, 1, 2, 3]] == worker.batches


async def test_a_request_whose_caller_has_gone_frees_its_room(ask: Ask, batcher: Batcher) -> None:
    """At once, not only when the batch forms."""
    ask(0)
    gone = ask(1, 2, 3)
    ask(4)
    await settle()
    gone.cancel()
    await settle()

    assert 1 == batcher.queued_images


async def test_a_caller_that_goes_while_the_engine_works_disturbs_nobody(
    ask: Ask, worker: FakeWorker
) -> None:
    """Its row of the batch is thrown away, its neighbour gets its own."""
    ask(0)
    gone, stays = ask(1), ask(2)
    await settle()
    worker.finish()
    gone.cancel()
    await settle()
    worker.finish()

    assert [2] == marks(await stays)
