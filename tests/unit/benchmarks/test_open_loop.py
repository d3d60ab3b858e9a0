"""The open loop's timetable and its way of counting."""

import numpy as np
import pytest

from benchmarks.open_loop import OK, OPEN, RESOURCE_EXHAUSTED, Answers, poisson_times

ANSWERS = Answers(
    intended=np.array([0.0, 0.5, 1.0, 1.5]),
    sent=np.array([0.0, 0.6, 1.0, 1.5]),
    ended=np.array([0.25, 0.75, 2.5, np.inf]),
    statuses=np.array([OK, RESOURCE_EXHAUSTED, OK, OPEN], np.int16),
    cpu_s=0.0,
)


def test_the_same_seed_gives_the_same_arrivals() -> None:
    """A load can be repeated."""
    assert poisson_times(100, 2, 7).tolist() == poisson_times(100, 2, 7).tolist()


def test_another_seed_gives_other_arrivals() -> None:
    """Rounds differ."""
    assert poisson_times(100, 2, 7).tolist() != poisson_times(100, 2, 8).tolist()


def test_arrivals_ascend_within_the_time() -> None:
    """None is before the start, none after the end."""
    times = poisson_times(1000, 2, 1)

    assert (True, True) == (bool(np.all(np.diff(times) > 0)), bool(0 <= times[0] < times[-1] < 2))


def test_the_gaps_between_arrivals_are_exponential() -> None:
    """Their mean and their standard deviation are both 1 / rate, within a few standard errors."""
    gaps = np.diff(poisson_times(1000, 100, 1)) * 1000

    assert pytest.approx([1.0, 1.0], abs=0.025) == [float(gaps.mean()), float(gaps.std())]


def test_latency_counts_from_the_intended_departure() -> None:
    """A request that left late waited all the same."""
    assert [0.25] == ANSWERS.latencies(RESOURCE_EXHAUSTED).tolist()


def test_the_rate_counts_good_answers_within_the_time() -> None:
    """Neither refusals nor what came after the end."""
    assert 0.5 == ANSWERS.rate(2.0)


def test_each_status_is_counted() -> None:
    """Requests without an answer too."""
    assert {OK: 2, RESOURCE_EXHAUSTED: 1, OPEN: 1} == ANSWERS.counts()
