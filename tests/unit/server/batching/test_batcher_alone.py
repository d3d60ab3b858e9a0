"""The only request that is under way, where requests come one by one."""

import asyncio
from collections.abc import Callable

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Announced, Batcher, BatchingConfig, Scores
from saccade_server.batching.crew import LONE_BATCHES
from saccade_server.batching.line import SWIFT_S
from saccade_server.errors import EngineError
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import MAX_BATCH_IMAGES, Ask, learn_alone, marks

SWIFT = SWIFT_S / 2


async def turn() -> None:
    """One turn of the loop."""
    await asyncio.sleep(0)


async def give_up(ask: Callable[[int], asyncio.Task[Scores]], *marks: int) -> None:
    """Has a call begin for requests whose callers then leave."""
    asked = [ask(mark) for mark in marks]
    await settle()
    for each in asked:
        each.cancel()
    await settle()


async def test_it_is_answered_in_the_turn_in_which_it_came(ask: Ask, worker: FakeWorker) -> None:
    """Nobody is waited for, and no thread."""
    await learn_alone(ask, worker, SWIFT)
    asked = ask(7, alone=True)
    await turn()

    assert (True, [[7]]) == (asked.done(), worker.at_once)
    assert [7] == marks(await asked)


async def test_another_one_waits_for_the_end_of_the_turn(ask: Ask, worker: FakeWorker) -> None:
    """Nobody has told that it is the only one."""
    await learn_alone(ask, worker, SWIFT)
    asked = ask(7)
    await turn()

    assert (False, []) == (asked.done(), worker.at_once)
    assert [7] == marks(await asked)


async def test_what_is_about_to_start_is_waited_for(
    ask: Ask, worker: FakeWorker, announced: Announced
) -> None:
    """Both are one batch."""
    await learn_alone(ask, worker, SWIFT)
    announced.starting += 1
    ask(7, alone=True)
    ask(8)
    await settle()

    assert ([[7, 8]], []) == (worker.batches, worker.at_once)


async def test_beside_another_one_it_is_not_alone(ask: Ask, worker: FakeWorker) -> None:
    """Whatever it was when it began."""
    await learn_alone(ask, worker, SWIFT)
    ask(6)
    ask(7, alone=True)
    await settle()

    assert ([[6, 7]], []) == (worker.batches, worker.at_once)


async def test_a_longer_call_goes_to_the_worker(ask: Ask, worker: FakeWorker) -> None:
    """The loop has more to do than to wait for it."""
    await learn_alone(ask, worker, 2 * SWIFT_S)
    ask(7, alone=True)
    await settle()

    assert ([[7]], []) == (worker.batches, worker.at_once)


async def test_so_does_one_of_many_images(ask: Ask, worker: FakeWorker) -> None:
    """A graph that is swift takes its time for them."""
    await learn_alone(ask, worker, SWIFT)
    ask(6, 7, 8, alone=True)
    await settle()

    assert ([[6, 7, 8]], []) == (worker.batches, worker.at_once)


async def test_one_of_more_images_than_a_batch_is_split(ask: Ask, worker: FakeWorker) -> None:
    """However short the calls are."""
    await learn_alone(ask, worker, SWIFT_S / 16)
    asked = ask(*range(MAX_BATCH_IMAGES + 1), alone=True)
    for _ in range(2):
        await settle()
        worker.finish(after_s=SWIFT_S / 16)

    assert ([[0, 1, 2, 3], [4]], []) == (worker.batches, worker.at_once)
    assert [0, 1, 2, 3, 4] == marks(await asked)


async def test_behind_a_batch_of_several_the_worker_is_asked(ask: Ask, worker: FakeWorker) -> None:
    """There are more callers than one, if not at this moment."""
    await learn_alone(ask, worker, SWIFT)
    ask(6)
    ask(7)
    await settle()
    worker.finish(after_s=SWIFT)
    ask(8, alone=True)
    await settle()

    assert ([[6, 7], [8]], []) == (worker.batches, worker.at_once)


async def test_a_graph_that_may_run_for_ever_stays_in_its_thread(
    metrics: Metrics, clock: FakeClock
) -> None:
    """The probes answer whatever it does."""
    worker = FakeWorker(clock, bounded=False)
    batcher = Batcher([worker], BatchingConfig(), metrics, model="digits", version=1, clock=clock)
    for _ in range(LONE_BATCHES + 1):
        asked = asyncio.ensure_future(batcher.submit(images(7), alone=True))
        await settle()
        worker.finish(after_s=SWIFT)
        await asked

    assert [] == worker.at_once


async def test_two_short_ones_go_to_the_worker(ask: Ask, worker: FakeWorker) -> None:
    """Where there are two callers, the loop reads what they send next."""
    await learn_alone(ask, worker, SWIFT_S / 8)
    ask(6)
    ask(7)
    await settle()

    assert ([[6, 7]], []) == (worker.batches, worker.at_once)


async def test_behind_calls_that_were_given_up_it_waits(
    ask: Ask, worker: FakeWorker, metrics: Metrics
) -> None:
    """An engine runs one call at a time; who waits for it is counted."""
    await learn_alone(ask, worker, SWIFT)
    await give_up(ask, 5, 6)
    asked = ask(7, alone=True)
    await turn()
    queued = metrics.registry.get_sample_value("saccade_queue_images", {"model": "digits"})
    before = list(worker.at_once)
    await settle()
    worker.finish(after_s=SWIFT)
    await settle()
    worker.finish(after_s=SWIFT)

    assert (1, [], [7]) == (queued, before, marks(await asked))


async def test_beside_calls_that_were_given_up_it_is_not_run_in_the_loop(
    metrics: Metrics, clock: FakeClock
) -> None:
    """Engines may wait for each other, and the loop must not."""
    busy, free = workers = [FakeWorker(clock), FakeWorker(clock)]
    config = BatchingConfig(max_batch_images=MAX_BATCH_IMAGES)
    batcher = Batcher([*workers], config, metrics, model="digits", version=1, clock=clock)

    def ask(mark: int, *, alone: bool = False) -> asyncio.Task[Scores]:
        return asyncio.ensure_future(batcher.submit(images(mark), alone=alone))

    await learn_alone(ask, free, SWIFT)
    await give_up(ask, 5, 6)
    ask(7, alone=True)
    await settle()

    assert [] == [*busy.at_once, *free.at_once]
    assert ([[5, 6]], [[7]]) in ((busy.batches, free.batches), (free.batches, busy.batches))


async def test_its_call_is_counted_when_the_answer_has_left(
    ask: Ask, worker: FakeWorker, metrics: Metrics
) -> None:
    """In the turn behind that of the answer, and once."""

    def counted() -> float | None:
        return metrics.registry.get_sample_value("saccade_batch_images_count", {"model": "digits"})

    await learn_alone(ask, worker, SWIFT)
    asked = ask(7, alone=True)
    await turn()
    at_once = asked.done(), counted()
    await settle()

    assert (True, LONE_BATCHES) == at_once
    assert LONE_BATCHES + 1 == counted()


async def test_what_comes_before_that_is_answered_too(ask: Ask, worker: FakeWorker) -> None:
    """The worker still counts as busy: what comes waits for it, and is not forgotten."""
    await learn_alone(ask, worker, SWIFT)
    asked = ask(6, alone=True)
    later = ask(7)
    await turn()
    before = asked.done(), later.done()
    await settle()
    while worker.busy:
        worker.finish(after_s=SWIFT)
        await settle()

    assert (True, False) == before
    assert ([6], [7]) == (marks(await asked), marks(await later))


async def test_one_behind_the_other_each_is_run_at_once(ask: Ask, worker: FakeWorker) -> None:
    """What an earlier one left to do is done by then."""
    await learn_alone(ask, worker, SWIFT)
    scores = [marks(await ask(mark, alone=True)) for mark in (1, 2, 3)]

    assert ([[1], [2], [3]], [[1], [2], [3]]) == (scores, worker.at_once)


async def test_a_failure_is_that_of_its_request_alone(ask: Ask, worker: FakeWorker) -> None:
    """The next one is answered."""
    await learn_alone(ask, worker, SWIFT)
    worker.error = EngineError("the graph stumbled")
    with pytest.raises(EngineError, match="the graph stumbled"):
        await ask(7, alone=True)
    worker.error = None

    assert [8] == marks(await ask(8, alone=True))


async def test_the_end_waits_for_what_is_left_to_do(
    ask: Ask, worker: FakeWorker, batcher: Batcher
) -> None:
    """A batcher that is closed behind the answer closes its worker and leaves nothing."""
    await learn_alone(ask, worker, SWIFT)
    asked = ask(7, alone=True)
    await turn()
    await batcher.close()
    await settle()

    assert ([7], True, True) == (marks(await asked), worker.closed, batcher.idle)


async def test_behind_the_answer_it_is_idle(ask: Ask, worker: FakeWorker, batcher: Batcher) -> None:
    """What is to be done then finds no call under way that has long ended."""
    await learn_alone(ask, worker, SWIFT)
    ask(7, alone=True).add_done_callback(lambda _: seen.append(batcher.idle))
    seen: list[bool] = []
    await settle()

    assert [True] == seen
