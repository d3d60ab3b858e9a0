"""What goes into a batch, and when."""

import asyncio
from typing import Any

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Batcher, BatchingConfig
from saccade_server.errors import ConfigError
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import Ask, marks


async def test_an_idle_engine_never_waits(ask: Ask, worker: FakeWorker) -> None:
    """A lone request starts at once, as a batch of its own."""
    ask(1)
    await settle()

    assert [[1]] == worker.batches


async def test_what_queued_meanwhile_is_the_next_batch(ask: Ask, worker: FakeWorker) -> None:
    """All requests that came while the engine was busy share the next call."""
    ask(1)
    ask(2)
    ask(3)
    await settle()
    worker.finish()

    assert [[1], [2, 3]] == worker.batches


async def test_a_batch_is_never_larger_than_the_maximum(ask: Ask, worker: FakeWorker) -> None:
    """Of seven waiting images a batch of at most four takes four."""
    ask(0)
    for mark in range(1, 8):
        ask(mark)
    await settle()
    worker.finish()

    assert [[0], [1, 2, 3, 4]] == worker.batches


async def test_first_come_first_served(ask: Ask, worker: FakeWorker) -> None:
    """A request that does not fit waits with all that came after it, so that it is not starved."""
    ask(0)
    ask(1, 2, 3)
    ask(4, 5)
    ask(6)
    await settle()
    worker.finish()
    worker.finish()

    assert [[0], [1, 2, 3], [4, 5, 6]] == worker.batches


async def test_urgent_requests_go_first(ask: Ask, worker: FakeWorker) -> None:
    """An urgent request overtakes those that came before it."""
    ask(0)
    for mark in (1, 2, 3, 4):
        ask(mark)
    ask(9, urgent=True)
    await settle()
    worker.finish()

    assert [[0], [9, 1, 2, 3]] == worker.batches


async def test_images_of_different_shapes_never_share_a_batch(ask: Ask, worker: FakeWorker) -> None:
    """Requests are grouped by the shape of their images; the group of the oldest goes first."""
    ask(0)
    ask(1, side=3)
    ask(2)
    ask(3, side=3)
    await settle()
    worker.finish()
    worker.finish()

    assert [[0], [1, 3], [2]] == worker.batches


async def test_an_urgent_batch_is_filled_up_with_others_of_its_shape(
    ask: Ask, worker: FakeWorker
) -> None:
    """What is urgent decides the shape of the batch, even against an older group."""
    ask(0)
    ask(1, side=3)
    ask(2)
    ask(3, urgent=True)
    await settle()
    worker.finish()

    assert [[0], [3, 2]] == worker.batches


async def test_a_request_larger_than_a_batch_is_split(ask: Ask, worker: FakeWorker) -> None:
    """Ten images run as four, four and two."""
    ask(*range(10))
    await settle()
    for _ in range(3):
        worker.finish()

    assert [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] == worker.batches


async def test_a_split_request_gets_one_answer_in_order(ask: Ask, worker: FakeWorker) -> None:
    """The parts' scores are joined in the order of the request's images."""
    asked = ask(*range(10))
    await settle()
    for _ in range(3):
        worker.finish()

    assert list(range(10)) == marks(await asked)


async def test_the_rest_of_a_split_request_shares_its_batch(ask: Ask, worker: FakeWorker) -> None:
    """Another request joins the last part, which is not full."""
    ask(*range(6))
    ask(7)
    await settle()
    worker.finish()

    assert [[0, 1, 2, 3], [4, 5, 7]] == worker.batches


async def test_each_request_gets_its_own_scores(ask: Ask, worker: FakeWorker) -> None:
    """The rows of a shared batch go to the requests whose images they belong to."""
    ask(0)
    first, second = ask(1, 2), ask(3)
    await settle()
    worker.finish()
    worker.finish()

    assert ([1, 2], [3]) == (marks(await first), marks(await second))


async def test_idle_engines_share_a_split_request(metrics: Metrics, clock: FakeClock) -> None:
    """With two workers, two parts run at the same time."""
    workers = [FakeWorker(clock), FakeWorker(clock)]
    config = BatchingConfig(max_batch_images=2)
    batcher = Batcher([*workers], config, metrics, model="digits", version=1, clock=clock)
    asked = asyncio.ensure_future(batcher.submit(images(1, 2, 3, 4)))
    await settle()
    for worker in workers:
        worker.finish()
    await asked

    assert [[[1, 2]], [[3, 4]]] == sorted(worker.batches for worker in workers)


async def test_the_answer_says_where_the_time_went(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """Seconds in the queue and in the engine, and the images of the engine's call."""
    ask(1)
    asked = ask(2)
    ask(3)
    await settle()
    worker.finish(after_s=0.5)
    worker.finish(after_s=0.25)
    scores = await asked

    assert (0.5, 0.25, 2) == (scores.queue_s, scores.inference_s, scores.batch_images)


async def test_a_split_request_counts_all_its_engine_calls(ask: Ask, worker: FakeWorker) -> None:
    """It queued until the first call; the seconds of all calls are added up."""
    asked = ask(*range(6))
    await settle()
    worker.finish(after_s=0.5)
    worker.finish(after_s=0.25)
    scores = await asked

    assert (0.0, 0.75, 4) == (scores.queue_s, scores.inference_s, scores.batch_images)


async def test_batches_are_counted_by_their_images(
    ask: Ask, worker: FakeWorker, metrics: Metrics
) -> None:
    """The histogram sees one batch of one image and one of two."""
    ask(1)
    ask(2)
    ask(3)
    await settle()
    worker.finish()
    worker.finish()
    labels = {"model": "digits"}
    value = metrics.registry.get_sample_value

    assert (2, 3) == (
        value("saccade_batch_images_count", labels),
        value("saccade_batch_images_sum", labels),
    )


@pytest.mark.parametrize("name", ["max_batch_images", "max_queue_images"])
def test_a_bound_below_one_is_refused(name: str) -> None:
    """Neither a batch nor a queue may have no room at all."""
    bounds: dict[str, Any] = {name: 0}
    with pytest.raises(ConfigError) as refused:
        BatchingConfig(**bounds)

    assert f"{name} must be at least 1, got 0" == str(refused.value)
