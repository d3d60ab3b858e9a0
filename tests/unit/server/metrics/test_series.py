"""Counters, gauges and histograms show what prometheus_client's own would."""

import math

import numpy as np
import prometheus_client as reference
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from saccade_server.metrics import Counter, Gauge, Histogram

BOUNDS = (0.1, 0.5, 1.0, 2.5)


def shown(registry: CollectorRegistry) -> list[str]:
    """The exposition, line by line, without the times at which series were made."""
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if "_created" not in line)


@pytest.fixture
def ours() -> CollectorRegistry:
    """A registry with our metrics."""
    return CollectorRegistry()


@pytest.fixture
def theirs() -> CollectorRegistry:
    """A registry with prometheus_client's metrics."""
    return CollectorRegistry()


def test_a_counter_shows_the_same(ours: CollectorRegistry, theirs: CollectorRegistry) -> None:
    """Name, help, labels and values."""
    for registry, make in ((ours, Counter), (theirs, reference.Counter)):
        counter = make("cats", "Cats seen.", ("color", "mood"), registry=registry)
        counter.labels("black", "good").inc()
        counter.labels("black", "good").inc(2.5)
        counter.labels('w"h\\i\nte', "").inc(0)

    assert shown(theirs) == shown(ours)


def test_a_gauge_shows_the_same(ours: CollectorRegistry, theirs: CollectorRegistry) -> None:
    """It goes up, down and to a value."""
    for registry, make in ((ours, Gauge), (theirs, reference.Gauge)):
        gauge = make("cats", "Cats here.", ("room",), registry=registry)
        gauge.labels("kitchen").inc(3)
        gauge.labels("kitchen").dec()
        gauge.labels("garden").set(-7)

    assert shown(theirs) == shown(ours)


def test_a_metric_without_labels_shows_the_same(
    ours: CollectorRegistry, theirs: CollectorRegistry
) -> None:
    """It is there from the start, with 0."""
    for registry, make in ((ours, Gauge), (theirs, reference.Gauge)):
        make("cats", "Cats here.", registry=registry)

    assert shown(theirs) == shown(ours)


@pytest.mark.parametrize("seed", range(3))
def test_a_histogram_shows_the_same(
    ours: CollectorRegistry, theirs: CollectorRegistry, seed: int
) -> None:
    """Buckets, sum and count, with values on, between and beyond the bounds."""
    random = np.random.default_rng(seed)
    values = [*BOUNDS, 0.0, -1.0, math.inf, *random.exponential(1.0, 100).tolist()]
    for registry, make in ((ours, Histogram), (theirs, reference.Histogram)):
        histogram = make("naps", "Hours.", ("cat",), buckets=BOUNDS, registry=registry)
        for value in values:
            histogram.labels("Tom").observe(value)

    assert shown(theirs) == shown(ours)


def test_a_removed_series_is_gone(ours: CollectorRegistry) -> None:
    """The others stay."""
    gauge = Gauge("cats", "Cats here.", ("room",), registry=ours)
    gauge.labels("kitchen").set(1)
    gauge.labels("garden").set(2)
    gauge.remove("kitchen")
    gauge.remove("cellar")

    assert (None, 2) == (
        ours.get_sample_value("cats", {"room": "kitchen"}),
        ours.get_sample_value("cats", {"room": "garden"}),
    )


def test_a_wrong_number_of_labels_is_refused(ours: CollectorRegistry) -> None:
    """Where it is asked for, not when it is shown."""
    gauge = Gauge("cats", "Cats here.", ("room",), registry=ours)

    with pytest.raises(ValueError, match="cats has the labels"):
        gauge.labels("kitchen", "black")
