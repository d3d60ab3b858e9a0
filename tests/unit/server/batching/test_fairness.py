"""Clients take turns, and none takes the queue for itself."""

import asyncio
from collections import Counter

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker, images
from saccade_server.batching import Batcher, BatchingConfig, Scores
from saccade_server.batching.fairness import MAX_CLIENTS, OTHERS, Shares
from saccade_server.errors import Overloaded
from saccade_server.metrics import Metrics

MAX_QUEUE_IMAGES = 32
FLOOD, QUIET = "flood", "quiet"


@pytest.fixture
def batcher(worker: FakeWorker, metrics: Metrics, clock: FakeClock) -> Batcher:
    """One of batches of four, whose clients get equal shares."""
    config = BatchingConfig(max_batch_images=4, max_queue_images=MAX_QUEUE_IMAGES, fair=True)
    return Batcher([worker], config, metrics, model="digits", version=1, clock=clock)


async def ask(batcher: Batcher, client: str, *marks: int) -> "asyncio.Task[Scores]":
    """Submits a request of a client's."""
    task = asyncio.ensure_future(batcher.submit(images(*marks), client=client))
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    await settle()
    return task


async def test_a_flood_does_not_hold_up_a_newcomer(batcher: Batcher, worker: FakeWorker) -> None:
    """Its request goes after one turn of the other's, not behind all of them."""
    for _ in range(13):
        await ask(batcher, FLOOD, 1)
    await ask(batcher, QUIET, 2)
    for _ in range(3):
        worker.finish()

    assert [[1], [1] * 4, [2, 1, 1, 1]] == worker.batches[:3]


async def test_clients_get_as_many_images_whatever_their_requests_are(
    batcher: Batcher, worker: FakeWorker
) -> None:
    """One asks image by image, another in fours: both get the same."""
    await ask(batcher, "first", 0)
    for _ in range(8):
        await ask(batcher, "single", 1)
    for _ in range(2):
        await ask(batcher, "fours", 4, 4, 4, 4)
    for _ in range(4):
        worker.finish()
    counts = Counter(mark for batch in worker.batches[1:5] for mark in batch)

    assert {1: 8, 4: 8} == counts


async def test_a_client_s_requests_keep_their_order(batcher: Batcher, worker: FakeWorker) -> None:
    """Taking turns is between clients."""
    await ask(batcher, FLOOD, 0)
    for mark in (1, 2, 3):
        await ask(batcher, FLOOD, mark)
    worker.finish()

    assert [1, 2, 3] == worker.batches[1]


async def test_requests_whose_caller_has_gone_use_up_no_turn(
    batcher: Batcher, worker: FakeWorker
) -> None:
    """They are passed over, and those behind them go."""
    await ask(batcher, FLOOD, 0)
    gone = [await ask(batcher, FLOOD, 9) for _ in range(6)]
    await ask(batcher, FLOOD, 1)
    await ask(batcher, QUIET, 2)
    for each in gone:
        each.cancel()
    await settle()
    worker.finish()

    assert [1, 2] == worker.batches[1]


async def test_a_flood_leaves_room_in_the_queue(batcher: Batcher) -> None:
    """Alone it fills half of it; a newcomer is admitted, the flood is refused."""
    flood = [await ask(batcher, FLOOD, 1) for _ in range(MAX_QUEUE_IMAGES)]
    refused = [each for each in flood if each.done()]
    quiet = await ask(batcher, QUIET, *range(8))
    with pytest.raises(Overloaded, match="this client's share of the queue is full"):
        await refused[0]

    assert (True, False) == (len(refused) >= MAX_QUEUE_IMAGES // 2 - 1, quiet.done())


async def test_a_refused_share_is_counted(batcher: Batcher, metrics: Metrics) -> None:
    """By a reason of its own."""
    for _ in range(MAX_QUEUE_IMAGES):
        await ask(batcher, FLOOD, 1)

    counted = metrics.registry.get_sample_value("saccade_rejected_total", {"reason": "share_full"})
    assert (counted or 0) > 0


async def test_a_deadline_is_judged_by_the_client_s_own_turn(
    batcher: Batcher, worker: FakeWorker, clock: FakeClock
) -> None:
    """The other's flood does not make a newcomer's deadline unreachable."""
    for marks in ((1,), (1, 2, 3, 4)):
        asked = await ask(batcher, FLOOD, *marks)
        worker.finish(after_s=1.0)
        await asked
    for _ in range(13):
        await ask(batcher, FLOOD, 1)
    refusals = [
        batcher.refusal(1, deadline=clock() + 3.5, client=client) for client in (FLOOD, QUIET)
    ]

    assert [True, False] == [refusal is not None for refusal in refusals]


def test_names_without_end_take_no_memory_without_end() -> None:
    """Beyond a number of clients the rest share one place."""
    shares = Shares(10_000)
    for number in range(MAX_CLIENTS):
        shares.hold(shares.name(f"client {number}"), 1)

    assert (OTHERS, "client 7") == (shares.name("one more"), shares.name("client 7"))


def test_who_has_nothing_left_is_forgotten() -> None:
    """The place is another's then."""
    shares = Shares(100)
    for _ in range(2):
        for number in range(MAX_CLIENTS):
            shares.hold(f"client {number}", 2)
        for number in range(MAX_CLIENTS):
            shares.drop(f"client {number}", 2)

    assert "new" == shares.name("new")
