"""Batches of no more images than make them cheaper."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import NamedTuple

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Batcher, BatchingConfig, Scores
from saccade_server.batching.line import SWIFT_S
from saccade_server.errors import ConfigError
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import Ask

CONFIG = BatchingConfig(max_batch_images=4, max_queue_images=32, enough_images=2)


class Pair(NamedTuple):
    """A batcher with two workers side by side, and a wide one."""

    batcher: Batcher
    wide: FakeWorker
    left: FakeWorker
    right: FakeWorker

    @property
    def batches(self) -> list[list[list[int]]]:
        """What each worker has been given, the wide one first."""
        return [each.batches for each in (self.wide, self.left, self.right)]

    async def finish_wide(self) -> None:
        """Ends the batch of the wide one, and lets others begin."""
        self.wide.finish()
        await settle()


Send = Callable[..., Awaitable[None]]
"""Sends requests to the pair, each given as the marks of its images."""


@pytest.fixture
def batcher(worker: FakeWorker, metrics: Metrics, clock: FakeClock) -> Batcher:
    """Of a graph whose images are no cheaper in batches of more than two."""
    return Batcher([worker], CONFIG, metrics, model="digits", version=1, clock=clock)


@pytest.fixture
def few() -> None:
    """For tests whose pair has few processors."""


@pytest.fixture
def pair(request: pytest.FixtureRequest, metrics: Metrics, clock: FakeClock) -> Pair:
    """The same with two workers side by side."""
    wide, left, right = FakeWorker(clock), FakeWorker(clock), FakeWorker(clock)
    config = replace(CONFIG, few="few" in request.fixturenames)
    batcher = Batcher(
        [left, right], config, metrics, model="digits", version=1, wide=wide, clock=clock
    )
    return Pair(batcher, wide, left, right)


@pytest.fixture
async def send(pair: Pair) -> AsyncIterator[Send]:
    """See `Send`; what is not answered at the end is given up."""
    tasks: list[asyncio.Task[Scores]] = []

    async def send(*requests: list[int]) -> None:
        tasks.extend(asyncio.ensure_future(pair.batcher.submit(images(*r))) for r in requests)
        await settle()

    yield send
    for task in tasks:
        task.cancel()


async def test_the_first_of_those_that_wait_are_answered_sooner(
    ask: Ask, worker: FakeWorker
) -> None:
    """All four would fit into one batch, and wait for its end."""
    for mark in range(5):
        ask(mark)
    await settle()
    worker.finish()
    worker.finish()

    assert [[0], [1, 2], [3, 4]] == worker.batches


async def test_a_crowd_is_answered_so_as_well(ask: Ask, worker: FakeWorker) -> None:
    """When more waits than one batch may hold."""
    for mark in range(7):
        ask(mark)
    await settle()
    worker.finish()
    worker.finish()

    assert [[0], [1, 2], [3, 4]] == worker.batches


async def test_a_larger_request_stays_whole(ask: Ask, worker: FakeWorker) -> None:
    """It has one answer, whichever of its parts is done first."""
    ask(0)
    ask(1, 2, 3)
    ask(4)
    await settle()
    worker.finish()

    assert [[0], [1, 2, 3]] == worker.batches[:2]


async def run_first_of(count: int, pair: Pair, send: Send, clock: FakeClock) -> None:
    """So many small requests come; the first one's call takes a second, and is done."""
    await send(*([mark] for mark in range(count)))
    clock.advance(1.0)
    await pair.finish_wide()


async def test_small_requests_run_on_all_processors(pair: Pair, send: Send) -> None:
    """One batch after the other, while no more of them wait than a full batch holds."""
    await send(*([mark] for mark in range(5)))
    await pair.finish_wide()

    assert [[[0], [1, 2]], [], []] == pair.batches


async def test_a_crowd_of_small_requests_runs_side_by_side(pair: Pair, send: Send) -> None:
    """Its batches are as small."""
    await send(*([mark] for mark in range(6)))
    await pair.finish_wide()

    assert [[[0]], [[3, 4]], [[1, 2]]] == pair.batches


async def test_on_few_processors_a_crowd_is_run_in_turns(
    pair: Pair, send: Send, clock: FakeClock, few: None
) -> None:
    """If the graph is swift: side by side, its batches would keep the event loop from running."""
    await send([0])
    clock.advance(SWIFT_S / 2)
    await pair.finish_wide()
    await send(*([mark] for mark in range(1, 8)))
    await pair.finish_wide()

    assert [[[0], [1], [2, 3]], [], []] == pair.batches


async def test_on_few_processors_a_crowd_of_a_slow_graph_runs_side_by_side(
    pair: Pair, send: Send, clock: FakeClock, few: None
) -> None:
    """The loop has time enough between its calls."""
    await send([0])
    clock.advance(10 * SWIFT_S)
    await pair.finish_wide()
    await send(*([mark] for mark in range(1, 8)))
    await pair.finish_wide()

    assert [[[0], [1]], [[4, 5]], [[2, 3]]] == pair.batches


async def test_what_a_crowd_waits_for_in_turns_is_not_shared(
    metrics: Metrics, clock: FakeClock
) -> None:
    """So a deadline is refused that two engines side by side would have kept."""
    left, right, wide = FakeWorker(clock), FakeWorker(clock), FakeWorker(clock)
    config = BatchingConfig(max_batch_images=2, few=True)
    batcher = Batcher([left, right], config, metrics, model="m", version=1, wide=wide, clock=clock)
    image_s = SWIFT_S / 2
    tasks = [asyncio.ensure_future(batcher.submit(images(0)))]
    await settle()
    clock.advance(image_s)
    wide.finish()
    tasks += [asyncio.ensure_future(batcher.submit(images(mark))) for mark in range(7)]
    await settle()

    # A call of one image is under way, six wait, and there is one of the request's own.
    assert batcher.refusal(1, deadline=clock() + 8.1 * image_s) is None
    assert batcher.refusal(1, deadline=clock() + 7.9 * image_s) is not None
    for task in tasks:
        task.cancel()


async def test_under_pressure_a_crowd_runs_side_by_side(
    pair: Pair, send: Send, clock: FakeClock, few: None
) -> None:
    """The loop is busy with those that it refuses: the engines must not wait for it as well."""
    await send([0])
    clock.advance(SWIFT_S / 2)
    await pair.finish_wide()
    for _ in range(20):
        assert pair.batcher.refusal(1, deadline=clock()) is not None
    await send(*([mark] for mark in range(1, 8)))
    await pair.finish_wide()

    assert [[[0], [1]], [[4, 5]], [[2, 3]]] == pair.batches


async def test_large_requests_run_side_by_side(pair: Pair, send: Send) -> None:
    """And make the batches full, also those of small ones among them."""
    await send(*([mark] for mark in range(5)))
    await pair.finish_wide()
    await send([5], [6], *[[7, 8, 9]] * 6)
    await pair.finish_wide()

    assert [[[0], [1, 2]], [[7, 8, 9]], [[3, 4, 5, 6]]] == pair.batches


async def test_what_small_requests_wait_for_runs_in_turns(
    pair: Pair, send: Send, clock: FakeClock
) -> None:
    """So a deadline is refused that two engines side by side would have kept."""
    await run_first_of(5, pair, send, clock)
    await send([5], [6])
    clock.advance(1.0)
    await pair.finish_wide()
    await send([7], [8])

    # A call is under way, four images and two calls wait.
    refusal = pair.batcher.refusal(1, deadline=clock() + 3.9)

    assert refusal is not None
    assert refusal.reason == "deadline_unreachable"
    assert pair.batcher.refusal(1, deadline=clock() + 20.0) is None


async def test_what_a_crowd_of_them_waits_for_runs_side_by_side(
    pair: Pair, send: Send, clock: FakeClock
) -> None:
    """So a deadline is accepted that one engine could not have kept."""
    await run_first_of(6, pair, send, clock)
    await send(*([mark] for mark in range(5)))

    # Two calls are under way and three wait, taken for 2 s each, as one image took 1 s.
    assert pair.batcher.refusal(1, deadline=clock() + 6.1) is None
    assert pair.batcher.refusal(1, deadline=clock() + 5.9) is not None


async def test_a_crowd_of_them_is_judged_by_what_calls_cost_side_by_side(
    pair: Pair, send: Send, clock: FakeClock
) -> None:
    """Two images alone are taken for 2 s, as one took 1 s; side by side they have taken 3 s."""
    await run_first_of(6, pair, send, clock)
    await send(*([mark] for mark in range(9)))
    clock.advance(3.0)
    pair.left.finish()
    pair.right.finish()
    await settle()

    # Two calls are under way, six images and a call of the request's own wait.
    assert pair.batcher.refusal(1, deadline=clock() + 10.6) is None
    assert pair.batcher.refusal(1, deadline=clock() + 10.4) is not None


@pytest.mark.parametrize("enough", [-1, 5])
def test_enough_is_no_more_than_the_maximum(enough: int) -> None:
    """0 says that there is no such number."""
    with pytest.raises(ConfigError, match=f"must be 0 to max_batch_images, got {enough}"):
        BatchingConfig(max_batch_images=4, enough_images=enough)
