"""Quantiles from a histogram's text."""

import math

import pytest
from latency import quantile
from prometheus_client import CollectorRegistry, Histogram, generate_latest


def exposition(observations: list[float]) -> str:
    """What a histogram with buckets up to 1, 2 and 4 shows after some observations."""
    registry = CollectorRegistry()
    histogram = Histogram("t_seconds", "A time.", ["kind"], buckets=(1, 2, 4), registry=registry)
    histogram.labels("b")
    for value in observations:
        histogram.labels("a").observe(value)
    return generate_latest(registry).decode()


@pytest.mark.parametrize(("q", "expected"), [(0.5, 1.0), (0.75, 1.5), (1.0, 2.0)])
def test_a_quantile_is_interpolated_inside_its_bucket(q: float, expected: float) -> None:
    """Two of four values lie below 1, two between 1 and 2."""
    text = exposition([0.5, 0.5, 1.5, 1.5])

    assert expected == quantile(text, "t_seconds", q, {"kind": "a"})


def test_beyond_the_last_bound_the_last_bound_is_the_answer() -> None:
    """Nothing is known about values above the largest bound but that they are."""
    assert 4.0 == quantile(exposition([100.0]), "t_seconds", 0.5, {})


def test_without_observations_there_is_no_quantile() -> None:
    """A series that matches nothing has no quantile."""
    assert math.isnan(quantile(exposition([1.5]), "t_seconds", 0.5, {"kind": "b"}))
