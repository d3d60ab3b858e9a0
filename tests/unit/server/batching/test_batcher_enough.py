"""Batches of no more images than make them cheaper."""

import asyncio
from typing import NamedTuple

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Batcher, BatchingConfig
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


@pytest.fixture
def batcher(worker: FakeWorker, metrics: Metrics, clock: FakeClock) -> Batcher:
    """Of a graph whose images are no cheaper in batches of more than two."""
    return Batcher([worker], CONFIG, metrics, model="digits", version=1, clock=clock)


@pytest.fixture
def pair(metrics: Metrics, clock: FakeClock) -> Pair:
    """The same with two workers side by side."""
    wide, left, right = FakeWorker(clock), FakeWorker(clock), FakeWorker(clock)
    batcher = Batcher(
        [left, right], CONFIG, metrics, model="digits", version=1, wide=wide, clock=clock
    )
    return Pair(batcher, wide, left, right)


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


async def test_many_small_requests_run_on_all_processors(pair: Pair) -> None:
    """One batch after the other: those of large requests alone run side by side."""
    batcher, wide, left, right = pair
    tasks = [asyncio.ensure_future(batcher.submit(images(mark))) for mark in range(7)]
    await settle()
    wide.finish()
    await settle()
    small = [list(each.batches) for each in (wide, left, right)]
    tasks += [asyncio.ensure_future(batcher.submit(images(7, 8, 9))) for _ in range(6)]
    await settle()
    wide.finish()
    await settle()

    assert [[[0], [1, 2]], [], []] == small
    assert [[0], [1, 2]] == wide.batches
    assert [[[3, 4, 5, 6]], [[7, 8, 9]]] == sorted([left.batches, right.batches])
    for task in tasks:
        task.cancel()


async def test_what_small_requests_wait_for_runs_in_turns(pair: Pair, clock: FakeClock) -> None:
    """So a deadline is refused that two engines side by side would have kept."""
    batcher, wide, _, _ = pair
    tasks = [asyncio.ensure_future(batcher.submit(images(mark))) for mark in range(9)]
    await settle()
    for _ in range(2):
        clock.advance(1.0)
        wide.finish()
        await settle()

    # A call is under way, four images and two calls wait.
    refusal = batcher.refusal(1, deadline=clock() + 3.9)

    assert refusal is not None
    assert refusal.reason == "deadline_unreachable"
    assert batcher.refusal(1, deadline=clock() + 20.0) is None
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize("enough", [-1, 5])
def test_enough_is_no_more_than_the_maximum(enough: int) -> None:
    """0 says that there is no such number."""
    with pytest.raises(ConfigError, match=f"must be 0 to max_batch_images, got {enough}"):
        BatchingConfig(max_batch_images=4, enough_images=enough)
