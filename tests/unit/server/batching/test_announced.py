"""Calls whose messages are on their way."""

import pytest

from fixtures.clock import FakeClock
from saccade_server.batching.announced import FRESH_S, Announced


@pytest.fixture
def announced(clock: FakeClock) -> Announced:
    """What is tested."""
    return Announced(clock)


def test_there_are_none_at_first(announced: Announced) -> None:
    """Nor after the last one has come."""
    before = announced.any()
    announced.end(announced.begin())

    assert (False, False) == (before, announced.any())


def test_one_of_several_is_enough(announced: Announced) -> None:
    """Whichever has come."""
    first, second = announced.begin(), announced.begin()
    announced.end(first)
    left = announced.any()
    announced.end(second)

    assert (True, False) == (left, announced.any())


def test_a_request_whose_handler_is_about_to_start_is_one(announced: Announced) -> None:
    """However long that takes: the loop alone starts it."""
    announced.starting += 1
    before = announced.any()
    announced.starting -= 1

    assert (True, False) == (before, announced.any())


def test_an_old_one_is_forgotten(announced: Announced, clock: FakeClock) -> None:
    """Newer ones are not; its end, when it comes, is no error."""
    old = announced.begin()
    clock.advance(2 * FRESH_S)
    alone = announced.any()
    new = announced.begin()
    announced.end(old)
    beside = announced.any()
    announced.end(new)

    assert (False, True, False) == (alone, beside, announced.any())
