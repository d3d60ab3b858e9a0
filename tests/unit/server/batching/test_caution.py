"""How much longer than expected things are taken for."""

import pytest

from saccade_server.batching.caution import LATE_SHARE, MOST, Caution


def learned(*late: bool) -> float:
    """The factor after requests that were late, or not."""
    caution = Caution()
    for each in late:
        caution.learn(late=each)
    return caution.factor


def test_what_is_in_time_calls_for_no_caution() -> None:
    """However often."""
    assert 1.0 == learned(*[False] * 1000)


def test_what_is_late_raises_it() -> None:
    """By two percent."""
    assert pytest.approx(1.02) == learned(True)


def test_it_has_a_bound() -> None:
    """A server whose requests are all late lets some in, and sees when that has changed."""
    assert MOST == learned(*[True] * 1000)


def test_what_is_in_time_lowers_it_again() -> None:
    """It is forgotten after a few thousand requests."""
    assert 1.0 == learned(*[True] * 1000, *[False] * 2000)


@pytest.mark.parametrize(("every", "rises"), [(int(0.5 / LATE_SHARE), True), (100, False)])
def test_it_rests_where_few_are_late(every: int, rises: bool) -> None:
    """It rises where twice as many are late, and falls where fewer are."""
    before = learned(*[True] * 20)

    after = learned(*[True] * 20, *[number % every == 0 for number in range(1000)])

    assert rises == (after > before)
