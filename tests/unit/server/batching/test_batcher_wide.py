"""A batcher with two workers side by side, and a wide one that has all processors for itself."""

from typing import NamedTuple

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker
from saccade_server.batching import Batcher, BatchingConfig
from saccade_server.errors import Overloaded
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import MAX_BATCH_IMAGES, Ask, marks


class Workers(NamedTuple):
    """Of the batcher."""

    wide: FakeWorker
    right: FakeWorker
    left: FakeWorker

    @property
    def batches(self) -> list[list[list[int]]]:
        """What each has been given, the wide one first."""
        return [each.batches for each in self]


@pytest.fixture
def workers(clock: FakeClock) -> Workers:
    """Of the batcher; the one on the right is asked first."""
    return Workers(FakeWorker(clock), FakeWorker(clock), FakeWorker(clock))


@pytest.fixture
def batcher(workers: Workers, metrics: Metrics, clock: FakeClock) -> Batcher:
    """What is tested."""
    return Batcher(
        [workers.left, workers.right],
        BatchingConfig(max_batch_images=MAX_BATCH_IMAGES, max_queue_images=12),
        metrics,
        model="digits",
        version=1,
        wide=workers.wide,
        clock=clock,
    )


async def test_a_lone_batch_has_all_processors(ask: Ask, workers: Workers) -> None:
    """One after the other, too."""
    for mark in (1, 2):
        ask(mark)
        await settle()
        workers.wide.finish()

    assert [[[1], [2]], [], []] == workers.batches


async def test_nothing_runs_beside_the_wide_worker(ask: Ask, workers: Workers) -> None:
    """What comes meanwhile waits, as long as it is one batch, and is then alone again."""
    ask(1)
    await settle()
    ask(2)
    ask(3)
    await settle()
    before = [list(each) for each in workers.batches]
    workers.wide.finish()

    assert ([[[1]], [], []], [[[1], [2, 3]], [], []]) == (before, workers.batches)


async def test_several_batches_run_side_by_side(ask: Ask, workers: Workers) -> None:
    """Where more waits than one batch holds."""
    ask(0)
    await settle()
    ask(1, 2, 3)
    ask(4, 5, 6)
    await settle()
    workers.wide.finish()

    assert [[[0]], [[1, 2, 3]], [[4, 5, 6]]] == workers.batches


async def test_a_large_request_runs_side_by_side(ask: Ask, workers: Workers) -> None:
    """Its parts are batches of their own; the answer is in the request's order."""
    asked = ask(1, 2, 3, 4, 5, 6, 7)
    await settle()
    workers.left.finish()
    workers.right.finish()

    assert ([1, 2, 3, 4, 5, 6, 7], []) == (marks(await asked), workers.wide.batches)


async def test_a_free_worker_never_waits_for_the_others(ask: Ask, workers: Workers) -> None:
    """While one of them runs, what comes is run beside it, on the other."""
    ask(1, 2, 3, 4, 5)
    await settle()
    workers.left.finish()
    ask(6)
    await settle()

    assert [[], [[1, 2, 3, 4]], [[5], [6]]] == workers.batches


async def test_the_wide_worker_waits_until_all_others_are_done(ask: Ask, workers: Workers) -> None:
    """Then a lone batch is its own again."""
    ask(1, 2, 3, 4, 5)
    await settle()
    workers.left.finish()
    workers.right.finish()
    ask(6)
    await settle()

    assert [[[6]], [[1, 2, 3, 4]], [[5]]] == workers.batches


async def test_a_crowd_is_judged_by_what_calls_cost_side_by_side(
    ask: Ask, workers: Workers, batcher: Batcher, clock: FakeClock
) -> None:
    """A call of 1 s alone takes 2 s beside another one: who has 2 s left is refused in a crowd."""
    ask(0)
    await settle()
    workers.wide.finish(after_s=1.0)
    ask(1, 2, 3, 4, 5, 6, 7, 8)
    await settle()
    clock.advance(2.0)
    workers.left.finish()
    workers.right.finish()
    ask(*range(12))
    await settle()
    now = clock()
    with pytest.raises(Overloaded) as refused:
        await ask(1, 2, 3, 4, deadline=now + 2.0)

    # Three batches of 2 s, two that run and one that waits, over two workers.
    assert pytest.approx(3.0) == refused.value.retry_after_s


async def test_everything_is_closed(workers: Workers, batcher: Batcher) -> None:
    """The wide worker too."""
    await batcher.close()

    assert [True] * 3 == [each.closed for each in workers]
