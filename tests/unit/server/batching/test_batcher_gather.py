"""Where an engine call takes all processors: small requests are gathered and run in the loop."""

import asyncio

import pytest

from fixtures.clock import FakeClock
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Announced, Batcher, BatchingConfig
from saccade_server.batching.announced import FRESH_S
from saccade_server.batching.crew import LONE_BATCHES
from saccade_server.batching.gathering import CALL_S, GATHER_S, GATHER_TURNS, LEAST_TURNS
from saccade_server.batching.line import LIGHT_IMAGES, SWIFT_S
from saccade_server.errors import DeadlineExceeded, EngineError
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import IMAGE_S, Ask, gathered, learn, marks

FULL = 32


@pytest.fixture
def wide(clock: FakeClock) -> FakeWorker:
    """One that has all processors, for those who want one."""
    return FakeWorker(clock)


@pytest.fixture
def announced(clock: FakeClock) -> Announced:
    """What the batcher looks at."""
    return Announced(clock)


@pytest.fixture
def batcher(
    request: pytest.FixtureRequest,
    worker: FakeWorker,
    metrics: Metrics,
    clock: FakeClock,
    announced: Announced,
) -> Batcher:
    """A batcher that gathers; with the wide worker where a test has it."""
    config = BatchingConfig(max_batch_images=FULL, enough_images=8, gather=True, few=True)
    wide = request.getfixturevalue("wide") if "wide" in request.fixturenames else None
    return Batcher(
        [worker], config, metrics, model="digits", version=1,
        wide=wide, announced=announced, clock=clock,
    )  # fmt: skip


async def come_while_announced(
    ask: Ask, worker: FakeWorker, announced: Announced
) -> list[list[int]]:
    """A request comes while another one is announced; what has been run when that comes, too."""
    call = announced.begin()
    ask(1)
    await gathered()
    before = list(worker.at_once)
    ask(2)
    await asyncio.sleep(0)
    announced.end(call)
    await gathered()
    return before


async def test_requests_that_come_together_are_one_batch_in_the_loop(
    ask: Ask, worker: FakeWorker
) -> None:
    """Their answers are there without the test's help."""
    await learn(ask, worker)
    asked = [ask(mark) for mark in (1, 2, 3)]

    assert [[1], [2], [3]] == [marks(scores) for scores in await asyncio.gather(*asked)]
    assert [[1, 2, 3]] == worker.at_once


async def test_who_comes_a_few_turns_later_still_belongs_to_the_batch(
    ask: Ask, worker: FakeWorker
) -> None:
    """Callers who were answered together ask again one after the other."""
    await learn(ask, worker)
    for mark in (1, 2, 3):
        ask(mark)
        for _ in range(GATHER_TURNS // 2):
            await asyncio.sleep(0)
    await gathered()

    assert [[1, 2, 3]] == worker.at_once


async def test_a_request_that_is_announced_is_waited_for(
    ask: Ask, worker: FakeWorker, announced: Announced
) -> None:
    """However many turns its message takes."""
    await learn(ask, worker)
    before = await come_while_announced(ask, worker, announced)

    assert ([], [[1, 2]]) == (before, worker.at_once)


async def test_a_request_that_stays_announced_is_not(
    ask: Ask, worker: FakeWorker, announced: Announced, clock: FakeClock
) -> None:
    """Its caller is slow, and is not to slow others down."""
    await learn(ask, worker)
    announced.begin()
    clock.advance(2 * FRESH_S)
    ask(1)
    await gathered()

    assert [[1]] == worker.at_once


async def test_who_seems_to_be_alone_waits_for_those_that_are_announced(
    ask: Ask, worker: FakeWorker, announced: Announced
) -> None:
    """Some transports hand one request out after the other, however many there are."""
    await learn(ask, worker)
    for _ in range(LONE_BATCHES + 1):
        await ask(0)
    worker.at_once.clear()
    before = await come_while_announced(ask, worker, announced)

    assert ([], [[1, 2]]) == (before, worker.at_once)


async def test_a_full_batch_waits_for_nobody(ask: Ask, worker: FakeWorker) -> None:
    """But for the turns in which the answers to the one before leave."""
    await learn(ask, worker)
    for mark in range(FULL):
        ask(mark)
    for _ in range(LEAST_TURNS + 2):
        await asyncio.sleep(0)

    assert [list(range(FULL))] == worker.at_once


async def test_no_gathering_takes_longer_than_its_bound(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """However fast others come."""
    await learn(ask, worker)
    ask(1)
    for _ in range(LEAST_TURNS + 2):
        await asyncio.sleep(0)
    ask(2)
    await asyncio.sleep(0)
    before = list(worker.at_once)
    clock.advance(2 * GATHER_S)
    await asyncio.sleep(0)

    assert ([], [[1, 2]]) == (before, worker.at_once)


async def test_nobody_knows_at_first_how_long_a_call_takes(ask: Ask, worker: FakeWorker) -> None:
    """So the loop does not make it."""
    ask(1)
    await gathered()

    assert ([[1]], []) == (worker.batches, worker.at_once)


async def test_a_crowd_is_run_in_calls_that_do_not_keep_the_loop_too_long(
    ask: Ask, worker: FakeWorker
) -> None:
    """Where a full batch would, it is run by halves: not all at once, and nowhere else."""
    image_s = 0.9 * SWIFT_S
    await learn(ask, worker, image_s)
    for mark in range(FULL + 1):
        ask(mark)
    for _ in range(3):
        await gathered()

    most = FULL // 2
    assert FULL * image_s > CALL_S > most * image_s
    assert [most, most, 1] == [len(batch) for batch in worker.at_once]


async def test_a_copy_that_nobody_waits_for_is_not_run_in_the_loop(
    ask: Ask, worker: FakeWorker, batcher: Batcher
) -> None:
    """Who comes meanwhile is gathered, and run when it has ended."""
    await learn(ask, worker)
    copy = asyncio.ensure_future(batcher.submit_spare(images(1)))
    await gathered()
    ask(2)
    await gathered()
    before = list(worker.batches)
    worker.finish()
    await gathered()

    assert ([1], [[1]], [[2]]) == (marks(await copy), before, worker.at_once)


async def test_a_graph_that_is_not_swift_stays_in_its_thread(ask: Ask, worker: FakeWorker) -> None:
    """Beside it the loop can do as much as its call takes."""
    await learn(ask, worker, 2 * SWIFT_S)
    ask(1)
    await gathered()

    assert ([[1]], []) == (worker.batches, worker.at_once)


async def test_large_requests_go_to_the_worker(ask: Ask, worker: FakeWorker) -> None:
    """While it is busy with one, the loop reads the next."""
    await learn(ask, worker)
    large = list(range(LIGHT_IMAGES + 1))
    ask(*large)
    await gathered()

    assert ([large], []) == (worker.batches, worker.at_once)


async def test_what_comes_beside_a_call_is_gathered_at_its_end(
    ask: Ask, worker: FakeWorker, metrics: Metrics
) -> None:
    """And run in the loop, in one batch; until then it is seen to wait."""
    await learn(ask, worker)
    large = list(range(LIGHT_IMAGES + 1))
    ask(*large)
    await gathered()
    small = [ask(mark) for mark in (1, 2)]
    await gathered()
    queued = metrics.registry.get_sample_value("saccade_queue_images", {"model": "digits"})
    before = list(worker.batches), queued
    worker.finish(after_s=IMAGE_S)

    assert [[1], [2]] == [marks(scores) for scores in await asyncio.gather(*small)]
    assert (([large], 2), [[1, 2]]) == (before, worker.at_once)


async def test_a_crowd_is_run_in_full_batches(ask: Ask, worker: FakeWorker) -> None:
    """In the loop, one after the other."""
    await learn(ask, worker)
    asked = [ask(mark) for mark in range(2 * FULL + 8)]
    await asyncio.gather(*asked)

    assert [FULL, FULL, 8] == [len(batch) for batch in worker.at_once]


async def test_who_comes_to_a_gathering_waits_for_those_before(
    ask: Ask, worker: FakeWorker, batcher: Batcher, clock: FakeClock
) -> None:
    """No engine is busy, yet a deadline that they leave no time for is refused."""
    await learn(ask, worker)
    for mark in range(FULL):
        ask(mark)
    await asyncio.sleep(0)
    ahead_s = FULL * IMAGE_S

    refusal = batcher.refusal(1, deadline=clock() + ahead_s)

    assert refusal is not None
    assert refusal.reason == "deadline_unreachable"
    assert batcher.refusal(1, deadline=clock() + 2 * ahead_s) is None


async def be_late(ask: Ask, clock: FakeClock, count: int = 1) -> None:
    """So many requests come to two others, and have no time left when the batch begins."""
    others = [ask(1), ask(1)]
    await asyncio.sleep(0)
    late = [ask(2, deadline=clock() + 25 * IMAGE_S) for _ in range(count)]
    await asyncio.sleep(0)
    clock.advance(24.5 * IMAGE_S)
    await asyncio.gather(*others)
    for each in late:
        with pytest.raises(DeadlineExceeded):
            await each


async def test_who_would_be_late_behind_others_is_dropped(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """A deadline that is too near when a batch begins is not kept by being part of it."""
    await learn(ask, worker)
    await be_late(ask, clock)

    assert [[1, 1]] == worker.at_once


async def test_those_that_were_late_in_a_gathering_call_for_caution(
    ask: Ask, worker: FakeWorker, batcher: Batcher, clock: FakeClock
) -> None:
    """What was taken for enough time is so no more."""
    await learn(ask, worker)
    refused = []
    for times in (0, 8):
        for _ in range(times):
            await be_late(ask, clock)
        for mark in range(FULL):
            ask(mark)
        await asyncio.sleep(0)
        needed_s = (FULL + 1) * IMAGE_S
        refused.append(batcher.refusal(1, deadline=clock() + 1.1 * needed_s) is not None)
        await gathered()

    assert [False, True] == refused


async def test_many_that_are_late_are_pressure(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """The loop is left to requests from then on."""
    await learn(ask, worker)
    await be_late(ask, clock, 20)
    worker.batches.clear()
    worker.at_once.clear()
    ask(1)
    await gathered()

    assert ([[1]], []) == (worker.batches, worker.at_once)


@pytest.mark.parametrize("deadline_s", [None, 1000 * IMAGE_S], ids=["no deadline", "a deadline"])
async def test_callers_with_deadlines_who_leave_are_pressure(
    ask: Ask, worker: FakeWorker, clock: FakeClock, deadline_s: float | None
) -> None:
    """Their own clock says that it is over; who has none has a reason that tells nothing."""
    await learn(ask, worker)
    deadline = None if deadline_s is None else clock() + deadline_s
    gone = [ask(0, deadline=deadline) for _ in range(20)]
    await asyncio.sleep(0)
    for each in gone:
        each.cancel()
    await gathered()
    ask(1)
    await gathered()

    assert worker.busy == (deadline is not None)


async def test_under_pressure_the_loop_is_left_to_requests(
    ask: Ask, worker: FakeWorker, batcher: Batcher, clock: FakeClock
) -> None:
    """Many are refused: it must read and refuse, and the worker has a thread for the rest."""
    await learn(ask, worker)
    for _ in range(20):
        with pytest.raises(DeadlineExceeded):
            await ask(0, deadline=clock())
    ask(1)
    await gathered()
    before = list(worker.batches), list(worker.at_once)
    worker.finish(after_s=IMAGE_S)
    # Others are answered, until it has passed.
    for _ in range(200):
        ask(2)
        await gathered()
        if worker.busy:
            worker.finish(after_s=IMAGE_S)
            await gathered()
    worker.at_once.clear()
    ask(3)
    await gathered()

    assert (([[1]], []), [[3]]) == (before, worker.at_once)


async def test_a_batch_in_the_loop_is_run_on_all_processors(
    ask: Ask, worker: FakeWorker, wide: FakeWorker
) -> None:
    """Also where more waits than it holds: nothing runs beside it."""
    await learn(ask, wide)
    worker.batches.clear()
    await asyncio.gather(*(ask(mark) for mark in range(FULL + 8)))

    assert ([FULL, 8], []) == ([len(batch) for batch in wide.at_once], worker.batches)


async def test_the_answers_to_a_batch_leave_before_the_next_is_run(
    ask: Ask, worker: FakeWorker
) -> None:
    """Also where enough waits for another full one."""
    await learn(ask, worker)
    asked = [ask(mark) for mark in range(2 * FULL)]
    await asked[0]
    await asyncio.sleep(0)

    assert ([True] * FULL, 1) == ([each.done() for each in asked[:FULL]], len(worker.at_once))


async def test_a_batch_that_fails_in_the_loop_is_tried_again_one_by_one(
    ask: Ask, worker: FakeWorker
) -> None:
    """By the worker; who is not to blame is answered."""
    await learn(ask, worker)
    worker.error = EngineError("the graph stumbled")
    good, bad = ask(1), ask(2)
    await gathered()
    worker.finish()
    await gathered()
    worker.fail(worker.error)

    assert [1] == marks(await good)
    with pytest.raises(EngineError, match="the graph stumbled"):
        await bad


async def test_who_leaves_while_others_are_gathered_is_not_run(
    ask: Ask, worker: FakeWorker
) -> None:
    """The others are."""
    await learn(ask, worker)
    gone, stays = ask(1), ask(2)
    await asyncio.sleep(0)
    gone.cancel()

    assert ([2], [[2]]) == (marks(await stays), worker.at_once)


async def test_closing_answers_what_was_gathered(
    ask: Ask, worker: FakeWorker, batcher: Batcher
) -> None:
    """Nothing that was taken on is lost."""
    await learn(ask, worker)
    asked = [ask(1), ask(2)]
    await asyncio.sleep(0)
    await batcher.close()

    assert [[1], [2]] == [marks(each.result()) for each in asked]
