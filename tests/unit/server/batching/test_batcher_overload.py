"""What is refused at the door, and how refusals are counted."""

import asyncio

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker
from saccade_server.batching import Batcher
from saccade_server.errors import Overloaded
from saccade_server.metrics import Metrics
from unit.server.batching.conftest import Ask, marks

QUEUE_OF_EIGHT = ((1, 2, 3, 4), (5, 6, 7, 8))


async def learn_a_second_a_call(ask: Ask, worker: FakeWorker) -> None:
    """Lets the batcher see two calls, of one image and of four, that took a second each."""
    for request in ((1,), (1, 2, 3, 4)):
        asked = ask(*request)
        await settle()
        worker.finish(after_s=1.0)
        await asked
    worker.batches.clear()


async def test_a_full_queue_refuses(ask: Ask) -> None:
    """The image beyond the bound is refused at once; the text says how full the queue is."""
    for request in ((0,), *QUEUE_OF_EIGHT):
        ask(*request)
    await settle()
    with pytest.raises(Overloaded) as refused:
        await ask(9)

    assert "8 images are waiting, at most 8 may: try again later" == refused.value.message


async def test_a_full_queue_says_when_to_come_back(ask: Ask, worker: FakeWorker) -> None:
    """After the running call and two full batches, of a second each."""
    await learn_a_second_a_call(ask, worker)
    for request in ((0,), *QUEUE_OF_EIGHT):
        ask(*request)
    await settle()
    with pytest.raises(Overloaded) as refused:
        await ask(9)

    assert pytest.approx(3.0) == refused.value.retry_after_s


async def test_a_retry_is_never_advised_for_now(ask: Ask) -> None:
    """While nothing is known of the engine's pace the advice is short, but not zero."""
    for request in ((0,), *QUEUE_OF_EIGHT):
        ask(*request)
    await settle()
    with pytest.raises(Overloaded) as refused:
        await ask(9)

    assert 0 < (refused.value.retry_after_s or 0) < 1


async def test_room_in_the_queue_is_given_again(ask: Ask, worker: FakeWorker) -> None:
    """Once the engine has taken a batch, as many images may queue anew."""
    for request in ((0,), *QUEUE_OF_EIGHT):
        ask(*request)
    await settle()
    worker.finish()
    late = ask(9)
    await settle()
    worker.finish()
    worker.finish()
    worker.finish()

    assert [9] == marks(await late)


async def test_large_requests_of_one_moment_do_not_get_past_the_bound(ask: Ask) -> None:
    """Two requests that come at the same time and fill the queue: the third is refused."""
    ask(0)
    await settle()
    ask(*range(1, 6))
    third = ask(*range(6, 11))
    with pytest.raises(Overloaded) as refused:
        await third

    assert "5 images are waiting, at most 8 may: try again later" == refused.value.message


async def test_a_lone_request_may_be_larger_than_the_queue(ask: Ask, worker: FakeWorker) -> None:
    """It would never be taken otherwise."""
    asked = ask(*range(10))
    await settle()
    for _ in range(3):
        worker.finish()

    assert list(range(10)) == marks(await asked)


async def test_a_deadline_that_cannot_be_met_is_refused(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """One call runs, the own one would follow: two seconds, and 3 % for what is not known yet."""
    await learn_a_second_a_call(ask, worker)
    ask(0)
    await settle()
    with pytest.raises(Overloaded) as refused:
        await ask(1, deadline=clock() + 1.0)

    expected = "the answer may take 2.060 s, the deadline leaves 1.000 s: try again later"
    assert expected == refused.value.message


async def test_an_unreachable_deadline_says_when_to_come_back(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """When the queue of now will have been worked off."""
    await learn_a_second_a_call(ask, worker)
    ask(0)
    await settle()
    with pytest.raises(Overloaded) as refused:
        await ask(1, deadline=clock() + 1.5)

    assert pytest.approx(1.0) == refused.value.retry_after_s


async def test_a_deadline_that_can_be_met_is_accepted(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """Two seconds are expected, two and a half are left."""
    await learn_a_second_a_call(ask, worker)
    ask(0)
    await settle()
    asked = ask(1, deadline=clock() + 2.5)
    await settle()
    worker.finish(after_s=1.0)
    worker.finish(after_s=1.0)

    assert [1] == marks(await asked)


async def test_what_was_late_makes_later_requests_be_refused(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """Each comes behind another one with 2.2 s left, and is answered after 2.3 instead of two."""
    await learn_a_second_a_call(ask, worker)
    outcomes = []
    for _ in range(10):
        ask(0)
        await settle()
        asked = ask(1, deadline=clock() + 2.2)
        await settle()
        worker.finish(after_s=1.0)
        await settle()
        if worker.busy:
            worker.finish(after_s=1.3)
        await asyncio.wait([asked])
        outcomes.append(type(asked.exception()))

    assert (type(None), Overloaded) == (outcomes[0], outcomes[-1])


async def test_an_idle_engine_tries_even_a_short_deadline(
    ask: Ask, worker: FakeWorker, clock: FakeClock
) -> None:
    """Nothing waits, so nobody is delayed, and the estimate may be too dark."""
    await learn_a_second_a_call(ask, worker)
    asked = ask(1, deadline=clock() + 0.5)
    await settle()
    worker.finish(after_s=0.25)

    assert [1] == marks(await asked)


@pytest.mark.parametrize("reason", ["queue_full", "deadline_unreachable", "deadline", "cancelled"])
async def test_what_is_refused_or_dropped_is_counted(
    reason: str, ask: Ask, worker: FakeWorker, clock: FakeClock, metrics: Metrics
) -> None:
    """Once, by its reason, and by no other."""
    await learn_a_second_a_call(ask, worker)
    ask(0)
    match reason:
        case "queue_full":
            ask(*range(8))
            refused = ask(1)
        case "deadline_unreachable":
            refused = ask(1, deadline=clock() + 1.5)
        case "deadline":
            refused = ask(1, deadline=clock() + 2.5)
        case _:
            refused = ask(1)
    await settle()
    if reason == "cancelled":
        refused.cancel()
        await settle()
    worker.finish(after_s=3.0)
    await asyncio.wait([refused])
    counted = {
        sample.labels["reason"]: sample.value
        for metric in metrics.rejected.collect()
        for sample in metric.samples
        if sample.name == "saccade_rejected_total"
    }

    assert {reason: 1.0} == counted


async def test_the_gauge_shows_what_waits(ask: Ask, metrics: Metrics) -> None:
    """Images in the queue, without those that the engine works on."""
    ask(0)
    ask(1, 2)
    ask(3)
    await settle()

    labels = {"model": "digits"}
    assert 3 == metrics.registry.get_sample_value("saccade_queue_images", labels)


async def test_asking_for_a_refusal_counts_none(
    ask: Ask, batcher: Batcher, metrics: Metrics
) -> None:
    """Who asks may have other versions to ask."""
    for request in ((0,), *QUEUE_OF_EIGHT):
        ask(*request)
    await settle()

    refusal = batcher.refusal(1)

    assert refusal is not None
    assert ("queue_full", 0.0) == (refusal.reason, metrics.rejected.labels("queue_full").value)


async def test_what_is_coming_counts_as_waiting(
    ask: Ask, worker: FakeWorker, batcher: Batcher, clock: FakeClock
) -> None:
    """Also while the engine is idle: four images more are a call of a second before one's own."""
    await learn_a_second_a_call(ask, worker)

    deadline = clock() + 1.5
    refusals = [batcher.refusal(1, coming=coming, deadline=deadline) for coming in (0, 4, 8)]

    reasons = [refusal and refusal.reason for refusal in refusals]
    assert [None, "deadline_unreachable", "queue_full"] == reasons


async def test_what_would_be_taken_has_no_refusal(batcher: Batcher, clock: FakeClock) -> None:
    """Even with a deadline, if it has not passed."""
    assert batcher.refusal(1, deadline=clock() + 1.0) is None
