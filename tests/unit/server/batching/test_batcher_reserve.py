"""Room for images that are still being decoded."""

import asyncio

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.workers import FakeWorker
from saccade_server.batching import Batcher
from saccade_server.errors import DeadlineExceeded, Overloaded
from unit.server.batching.conftest import MAX_QUEUE_IMAGES, Ask


def test_reserved_images_count_as_queued(batcher: Batcher) -> None:
    """The gauge and the bound see them."""
    with batcher.reserve(3):
        assert 3 == batcher.queued_images


def test_a_reservation_ends_with_its_block(batcher: Batcher) -> None:
    """Whatever became of the images, their room is free again."""
    with pytest.raises(RuntimeError), batcher.reserve(3):
        raise RuntimeError("decoding failed")

    assert 0 == batcher.queued_images


def test_what_does_not_fit_beside_reservations_is_refused(batcher: Batcher) -> None:
    """Images being decoded and images queued share one bound."""
    with batcher.reserve(MAX_QUEUE_IMAGES), pytest.raises(Overloaded), batcher.reserve(1):
        pass

    assert 0 == batcher.queued_images


async def test_a_request_finds_the_room_that_was_reserved_for_it(
    ask: Ask, batcher: Batcher, worker: FakeWorker
) -> None:
    """A full queue of which the request itself holds the last places lets it in."""
    running = ask(0)
    await settle()
    waiting = ask(1, 2, 3, 4)
    await settle()
    with batcher.reserve(4):
        pass
    decoded = ask(5, 6, 7, 8)
    await settle()
    for _ in range(3):
        worker.finish()
        await settle()
    await asyncio.gather(running, waiting, decoded)

    assert [[0], [1, 2, 3, 4], [5, 6, 7, 8]] == worker.batches


async def test_an_idle_engine_does_not_wait_for_what_is_being_decoded(
    ask: Ask, batcher: Batcher, worker: FakeWorker, clock: FakeClock
) -> None:
    """It takes a second an image; who is ready first is in time."""
    first = ask(0)
    await settle()
    worker.finish(after_s=1.0)
    await first

    with batcher.reserve(3):
        refusal = batcher.refusal(1, deadline=clock() + 1.5)

    assert refusal is None


def test_a_deadline_that_passed_is_not_worth_decoding(batcher: Batcher, clock: FakeClock) -> None:
    """It is refused before anything is decoded."""
    with pytest.raises(DeadlineExceeded), batcher.reserve(1, deadline=clock() - 1):
        pass

    assert 0 == batcher.queued_images
