"""What one short measurement found, and what many of them say together.

The machine's speed drifts from minute to minute, so the subjects of a row take turns in short
rounds, and they are compared within each round: the median of the rounds' ratios is the result.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement of one subject.

    Attributes:
        images_per_s: Answered well, and in time where there is a deadline.
        p50_s: Of a request's latency; NaN where nothing was answered.
        p99_s: Of the same.
        server_cpu_s: Processor seconds of the server for each request; None in-process.
        client_cpu_s: Processor seconds of the load generator for each request.
        client_cpus: Processors that the load generator kept busy.
        statuses: Requests by gRPC status, in an open loop.
        refusal_p99_s: Of the latency of RESOURCE_EXHAUSTED, where there was any.
        late_p99_s: Of what an open loop's requests left too late; it is part of their latency, and
            should be small beside it.
    """

    images_per_s: float
    p50_s: float
    p99_s: float
    server_cpu_s: float | None = None
    client_cpu_s: float | None = None
    client_cpus: float = 0.0
    statuses: Mapping[int, int] = field(default_factory=dict)
    refusal_p99_s: float | None = None
    late_p99_s: float | None = None


Measure = Callable[[], Sample]
Rounds = dict[str, list[Sample]]
"""The samples of each subject, one a round."""


def take_turns(rounds: int, subjects: Mapping[str, Measure]) -> Rounds:
    """Measures each subject once a round, every other round in reverse order.

    Raises:
        ValueError: There are no rounds.
    """
    if rounds < 1:
        raise ValueError(f"at least 1 round is needed, got {rounds}")
    samples: Rounds = {name: [] for name in subjects}
    for number in range(rounds):
        names = list(subjects)
        for name in names if number % 2 == 0 else reversed(names):
            samples[name].append(subjects[name]())
    return samples


def median_of(samples: list[Sample], value: Callable[[Sample], float]) -> float:
    """The median of a figure over the rounds."""
    return median(map(value, samples))


def median_ratio(these: list[float], those: list[float]) -> float:
    """The median over the rounds of this / that; nothing at all is infinitely slow."""
    pairs = zip(these, those, strict=True)
    return median(this / that if that else math.inf for this, that in pairs)


def rates(samples: list[Sample]) -> list[float]:
    """Images a second, by round."""
    return [sample.images_per_s for sample in samples]


def rates_of_best(rounds: Rounds, names: list[str]) -> list[float]:
    """Images a second, by round, of that one of some subjects that was best over all rounds.

    The best of each round would be the luckiest of it, and faster than any subject is.
    """
    by_round = list(zip(*(rates(rounds[name]) for name in names), strict=True))
    # Against the others of its round, as the machine drifts from round to round.
    shares = [[rate / (sum(each) or 1.0) for rate in each] for each in by_round]
    standing = [median(of_one) for of_one in zip(*shares, strict=True)]
    best = standing.index(max(standing))
    return [each[best] for each in by_round]


def quantiles(latencies: NDArray[np.float64]) -> tuple[float, float]:
    """Median and 99th percentile; NaN of nothing."""
    if not len(latencies):
        return float("nan"), float("nan")
    p50, p99 = np.quantile(latencies, (0.5, 0.99))
    return float(p50), float(p99)
