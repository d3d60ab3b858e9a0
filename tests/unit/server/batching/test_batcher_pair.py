"""Of a great crowd one worker runs full batches, while the loop's thread runs small ones."""

import asyncio
from typing import NamedTuple

import pytest

from fixtures.clock import FakeClock
from fixtures.workers import FakeWorker
from saccade_server.batching import Batcher, BatchingConfig
from saccade_server.batching.gathering import GATHER_TURNS, LEAST_TURNS
from saccade_server.batching.line import LIGHT_IMAGES
from saccade_server.errors import DeadlineExceeded
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import IMAGE_S, Ask, gathered, learn

FULL = 2 * LIGHT_IMAGES
CROWD = 2 * FULL + 1
"""The least that both threads run."""


class Workers(NamedTuple):
    """Of the batcher, with threads that ask for more themselves."""

    wide: FakeWorker
    aside: FakeWorker
    here: FakeWorker

    @property
    def sizes(self) -> list[list[int]]:
        """Of the batches that each was given."""
        return [[len(batch) for batch in each.batches] for each in self]

    @property
    def at_once(self) -> list[list[int]]:
        """Of those that each ran in the loop's thread."""
        return [[len(batch) for batch in each.at_once] for each in self]


@pytest.fixture
def bounded() -> bool:
    """Whether the graph is without loops."""
    return True


@pytest.fixture
async def workers(clock: FakeClock, *, bounded: bool) -> Workers:
    """On two processors."""
    workers = Workers(*(FakeWorker(clock, bounded=bounded) for _ in range(3)))
    for each in workers:
        each.goes_on = True
    return workers


@pytest.fixture(params=[True, False], ids=["gathers", "does not gather"])
def gathers(request: pytest.FixtureRequest) -> bool:
    """Whether the wide worker's call takes all processors."""
    return bool(request.param)


@pytest.fixture
def batcher(workers: Workers, metrics: Metrics, clock: FakeClock, *, gathers: bool) -> Batcher:
    """What is tested."""
    config = BatchingConfig(max_batch_images=FULL, enough_images=8, gather=gathers, few=True)
    return Batcher(
        [workers.aside, workers.here], config, metrics, model="digits", version=1,
        wide=workers.wide, clock=clock,
    )  # fmt: skip


async def crowd(ask: Ask, workers: Workers, count: int) -> None:
    """So many requests come while another one's call is under way, which then ends."""
    await learn(ask, workers.wide)
    large = [0] * (LIGHT_IMAGES + 1)
    ask(*large)
    await gathered()
    for _ in range(count):
        ask(1)
    await asyncio.sleep(0)
    workers.wide.finish(after_s=IMAGE_S)
    workers.wide.batches.clear()


async def begun(workers: Workers) -> None:
    """Lets turns pass until both have had a batch."""
    for _ in range(GATHER_TURNS):
        if workers.here.at_once:
            return
        await asyncio.sleep(0)
    raise AssertionError("they do not begin")


async def drained() -> None:
    """Lets the loop run all that it does."""
    for _ in range(4):
        await gathered()


async def test_a_great_crowd_is_run_in_both_threads(ask: Ask, workers: Workers) -> None:
    """A full batch aside, and beside it small ones in the loop."""
    await crowd(ask, workers, CROWD)
    await drained()

    assert [[], [FULL], [8, 8, 1]] == workers.sizes
    assert [[], [], [8, 8, 1]] == workers.at_once


async def test_two_full_batches_are_no_great_crowd(ask: Ask, workers: Workers) -> None:
    """On all processors the last of them is done sooner."""
    await crowd(ask, workers, CROWD - 1)
    await gathered()

    assert [[], []] == workers.sizes[1:]


async def test_the_worker_goes_on_while_a_full_batch_waits(ask: Ask, workers: Workers) -> None:
    """Straight after its last one, without waiting for the loop."""
    await crowd(ask, workers, FULL + LIGHT_IMAGES + FULL)
    await begun(workers)
    workers.aside.finish(after_s=IMAGE_S)

    assert ([FULL, FULL], 1) == (workers.sizes[1], workers.aside.went_on)


async def test_it_ends_where_less_waits(ask: Ask, workers: Workers) -> None:
    """The rest is run on all processors."""
    rest = FULL - 1
    await crowd(ask, workers, FULL + LIGHT_IMAGES + rest)
    await begun(workers)
    workers.aside.finish(after_s=IMAGE_S)
    await drained()
    while workers.wide.busy:
        workers.wide.finish()

    assert [[FULL], [LIGHT_IMAGES]] == workers.sizes[1:]
    assert rest == sum(workers.sizes[0])


async def test_what_waits_for_them_is_seen(ask: Ask, workers: Workers, metrics: Metrics) -> None:
    """As for all workers."""
    await crowd(ask, workers, CROWD)
    await begun(workers)

    queued = metrics.registry.get_sample_value("saccade_queue_images", {"model": "digits"})

    assert CROWD - FULL - LIGHT_IMAGES == queued


async def test_the_loop_gathers_what_it_runs(ask: Ask, workers: Workers) -> None:
    """Those that come a few turns later are of the same batch."""
    await crowd(ask, workers, CROWD)
    await drained()
    ask(7)
    for _ in range(LEAST_TURNS):
        await asyncio.sleep(0)
    ask(8)
    await drained()

    assert [7, 8] == workers.here.at_once[-1]


async def test_who_comes_while_the_worker_is_busy_is_run_in_the_loop(
    ask: Ask, workers: Workers
) -> None:
    """It has nothing else to do."""
    await crowd(ask, workers, CROWD)
    await drained()
    await ask(7)

    assert ([7], True) == (workers.here.at_once[-1], workers.aside.busy)


async def test_all_of_a_crowd_are_answered(ask: Ask, workers: Workers, batcher: Batcher) -> None:
    """Whoever runs them."""
    await crowd(ask, workers, 4 * CROWD)
    await begun(workers)
    while not batcher.idle:
        for each in workers:
            if each.busy:
                each.finish(after_s=IMAGE_S)
        await gathered()

    assert 4 * CROWD == sum(sum(sizes) for sizes in workers.sizes)


async def crowd_under_pressure(ask: Ask, workers: Workers, clock: FakeClock) -> None:
    """Many are refused, and then many come."""
    await learn(ask, workers.wide)
    for _ in range(40):
        with pytest.raises(DeadlineExceeded):
            await ask(0, deadline=clock())
    for _ in range(40 * FULL):
        ask(1)
    await gathered()
    if workers.wide.busy:
        workers.wide.finish()
        await gathered()


async def test_under_pressure_the_loop_runs_no_part_of_a_crowd(
    ask: Ask, workers: Workers, clock: FakeClock
) -> None:
    """It has requests to refuse; both workers have threads."""
    await crowd_under_pressure(ask, workers, clock)

    assert [[], [], []] == workers.at_once
    assert workers.aside.busy
    assert workers.here.busy


async def test_under_pressure_workers_go_on_with_small_batches(
    ask: Ask, workers: Workers, clock: FakeClock
) -> None:
    """As many images as make them cheaper, however many wait."""
    await crowd_under_pressure(ask, workers, clock)
    workers.aside.finish()

    assert [LIGHT_IMAGES] * 2 == workers.sizes[1]
    assert workers.aside.went_on == 1


async def test_a_worker_whose_thread_is_busy_is_not_used_by_the_loop(
    ask: Ask, workers: Workers, batcher: Batcher, clock: FakeClock
) -> None:
    """Its batch is one from before, when there was pressure."""
    await crowd_under_pressure(ask, workers, clock)
    while workers.sizes[1][-1] < FULL:
        workers.aside.finish(after_s=IMAGE_S)
        await gathered()
    ask(1)
    await drained()
    before = list(workers.here.at_once)
    while not batcher.idle:
        for each in workers:
            if each.busy:
                each.finish(after_s=IMAGE_S)
        await gathered()

    assert [] == before
    assert 40 * FULL + 1 == sum(sum(sizes) for sizes in workers.sizes)


@pytest.mark.parametrize("bounded", [False])
async def test_what_may_never_end_is_not_run_in_the_loop(
    ask: Ask, workers: Workers, bounded: bool
) -> None:
    """However great the crowd."""
    await crowd(ask, workers, CROWD)
    await gathered()

    assert [[], [], []] == workers.at_once
