"""Counters, gauges and histograms that only one thread changes.

prometheus_client's own take a lock for each number and look histograms' buckets up one after the
other: with about twenty numbers a request that was a third of the time spent in our handlers. These
are plain numbers, for the event loop's thread alone; prometheus_client still writes the exposition,
to which they are a collector. Reading from another thread is safe too, if not of one moment.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)


class Value:
    """One number."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        """Adds to it."""
        self.value += amount

    def dec(self, amount: float = 1.0) -> None:
        """Takes from it; for gauges."""
        self.value -= amount

    def set(self, value: float) -> None:
        """Sets it; for gauges."""
        self.value = value


class Distribution:
    """The observations of one series, counted by bucket."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Counts one observation in the first bucket whose bound it does not exceed."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


_Series = TypeVar("_Series", Value, Distribution)


class _Family(ABC, Generic[_Series]):
    """The series of one name, by the values of their labels."""

    def __init__(
        self, name: str, text: str, labels: Sequence[str] = (), *, registry: CollectorRegistry
    ) -> None:
        self.name = name
        self._text = text
        self._label_names = tuple(labels)
        self._series: dict[tuple[str, ...], _Series] = {}
        if not labels:
            self.labels()
        registry.register(self)

    def labels(self, *values: str) -> _Series:
        """The series with these values, in the order of the labels' names."""
        try:
            return self._series[values]
        except KeyError:
            if len(values) != len(self._label_names):
                raise ValueError(f"{self.name} has the labels {self._label_names}") from None
            series = self._series[values] = self._new()
            return series

    def remove(self, *values: str) -> None:
        """Forgets a series, if it is there."""
        self._series.pop(values, None)

    def forget(self, *values: str) -> None:
        """Forgets all series whose first labels have these values."""
        for key in [key for key in self._series if key[: len(values)] == values]:
            del self._series[key]

    def collect(self) -> Iterable[Metric]:
        """For prometheus_client."""
        family = self._family()
        for values, series in tuple(self._series.items()):
            self._add(family, values, series)
        return [family]

    @abstractmethod
    def _new(self) -> _Series: ...

    @abstractmethod
    def _family(self) -> Metric: ...

    @abstractmethod
    def _add(self, family: Metric, values: tuple[str, ...], series: _Series) -> None: ...


class Counter(_Family[Value]):
    """Numbers that only grow; shown as `<name>_total`."""

    def _new(self) -> Value:
        return Value()

    def _family(self) -> Metric:
        return CounterMetricFamily(self.name, self._text, labels=self._label_names)

    def _add(self, family: Metric, values: tuple[str, ...], series: Value) -> None:
        labels = dict(zip(self._label_names, values, strict=True))
        family.add_sample(f"{self.name}_total", labels, series.value)


class Gauge(_Family[Value]):
    """Numbers that go up and down."""

    def _new(self) -> Value:
        return Value()

    def _family(self) -> Metric:
        return GaugeMetricFamily(self.name, self._text, labels=self._label_names)

    def _add(self, family: Metric, values: tuple[str, ...], series: Value) -> None:
        family.add_sample(
            self.name, dict(zip(self._label_names, values, strict=True)), series.value
        )


class Histogram(_Family[Distribution]):
    """Distributions over the same buckets, whose upper bounds belong to them (`le`)."""

    def __init__(
        self,
        name: str,
        text: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._bounds = tuple(float(bound) for bound in buckets)
        super().__init__(name, text, labels, registry=registry)

    def _new(self) -> Distribution:
        return Distribution(self._bounds)

    def _family(self) -> Metric:
        return HistogramMetricFamily(self.name, self._text, labels=self._label_names)

    def _add(self, family: Metric, values: tuple[str, ...], series: Distribution) -> None:
        labels = dict(zip(self._label_names, values, strict=True))
        names = [*map(str, self._bounds), "+Inf"]
        total = 0
        for name, total in zip(names, accumulate(series.counts), strict=True):
            family.add_sample(f"{self.name}_bucket", {**labels, "le": name}, total)
        family.add_sample(f"{self.name}_count", labels, total)
        family.add_sample(f"{self.name}_sum", labels, series.sum)
