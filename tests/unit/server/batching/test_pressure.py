"""Whether requests come faster than they can be answered in time."""

from saccade_server.batching.pressure import Pressure


def is_high(*lost: bool) -> bool:
    """Whether it is, after requests that were lost, or not."""
    pressure = Pressure()
    for each in lost:
        pressure.learn(lost=each)
    return pressure.high


def test_there_is_none_while_all_are_answered() -> None:
    """Not at the start either."""
    assert (False, False) == (is_high(), is_high(*[False] * 100))


def test_a_few_that_are_lost_make_none() -> None:
    """One of twenty, for ever."""
    assert not is_high(*([True] + [False] * 19) * 100)


def test_many_that_are_lost_make_it_high() -> None:
    """One of four, before a hundred have come."""
    assert is_high(*[True, False, False, False] * 20)


def test_it_falls_when_requests_are_answered_again() -> None:
    """Some hundreds of them, after none was."""
    assert (True, False) == (
        is_high(*[True] * 1000, *[False] * 100),
        is_high(*[True] * 1000, *[False] * 300),
    )
