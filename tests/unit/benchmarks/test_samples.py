"""Turns, medians and ratios."""

import math

import numpy as np
import pytest

from benchmarks.samples import (
    Sample,
    median_of,
    median_ratio,
    quantiles,
    rates,
    rates_of_best,
    take_turns,
)
from benchmarks.targets import Check


def sample(rate: float) -> Sample:
    """A sample with that rate."""
    return Sample(images_per_s=rate, p50_s=1 / rate, p99_s=2 / rate)


def silent() -> Sample:
    """A sample without answers."""
    return Sample(images_per_s=0.0, p50_s=math.nan, p99_s=math.nan)


def test_every_other_round_goes_backwards() -> None:
    """No subject is always the first, which may be the coldest."""
    order: list[str] = []

    def measure(name: str) -> Sample:
        order.append(name)
        return sample(1.0)

    take_turns(2, {"a": lambda: measure("a"), "b": lambda: measure("b")})

    assert ["a", "b", "b", "a"] == order


def test_a_row_without_rounds_is_refused() -> None:
    """There would be nothing to tell."""
    with pytest.raises(ValueError, match="at least 1 round"):
        take_turns(0, {})


def test_ratios_are_taken_within_rounds() -> None:
    """A machine that becomes twice as slow changes no ratio."""
    assert 3.0 == median_ratio([300.0, 150.0, 90.0], [100.0, 50.0, 30.0])


def test_whoever_answers_nothing_is_infinitely_slower() -> None:
    """A zero ends no comparison."""
    assert math.inf == median_ratio([1.0], [0.0])


def test_the_best_of_some_subjects_is_the_same_one_in_each_round() -> None:
    """The luckiest of each would be faster than any of them is."""
    rounds = {
        "a": [sample(3.0), sample(1.0), sample(3.0)],
        "b": [sample(2.0), sample(2.0), sample(2.0)],
    }

    assert [3.0, 1.0, 3.0] == rates_of_best(rounds, ["a", "b"])


def test_a_fast_round_makes_nobody_the_best() -> None:
    """What counts is who was ahead in it."""
    rounds = {
        "a": [sample(9.0), sample(2.0), sample(3.0)],
        "b": [sample(1.0), sample(3.0), sample(4.0)],
    }

    assert [1.0, 3.0, 4.0] == rates_of_best(rounds, ["a", "b"])


def test_the_best_of_those_who_answer_nothing_answers_nothing() -> None:
    """A zero ends no comparison here either."""
    assert [0.0] == rates_of_best({"a": [silent()], "b": [silent()]}, ["a", "b"])


def test_the_median_is_of_the_rounds() -> None:
    """One bad round does not count."""
    samples = [sample(100.0), sample(1.0), sample(110.0)]

    assert 100.0 == median_of(samples, lambda each: each.images_per_s)


def test_rates_are_in_the_order_of_the_rounds() -> None:
    """To be compared round by round."""
    assert [2.0, 1.0] == rates([sample(2.0), sample(1.0)])


def test_quantiles_are_the_median_and_the_99th_percentile() -> None:
    """Of 0 to 100."""
    assert (50.0, 99.0) == quantiles(np.arange(101, dtype=np.float64))


def test_the_quantiles_of_nothing_are_not_numbers() -> None:
    """So that they reach no target."""
    assert [True, True] == [math.isnan(each) for each in quantiles(np.array([]))]


@pytest.mark.parametrize(("limit", "reached", "at_most", "missed_by"), [
    (4.0, 4.0, False, 0.0),
    (4.0, 3.0, False, 0.25),
    (20.0, 10.0, True, 0.0),
    (20.0, 30.0, True, 0.5),
])  # fmt: skip
def test_a_target_is_missed_by_a_share_of_its_limit(
    limit: float, reached: float, at_most: bool, missed_by: float
) -> None:
    """Nothing where it is met, on whichever side."""
    check = Check(subject="s", what="w", limit=limit, reached=reached, at_most=at_most)

    assert missed_by == check.missed_by


def test_what_is_no_number_reaches_no_target() -> None:
    """Such as the latency of refusals where there were none."""
    check = Check(subject="s", what="w", limit=20.0, reached=math.nan, at_most=True)

    assert check.met is False
