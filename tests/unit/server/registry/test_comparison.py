"""When a version counts as clearly worse than another."""

from collections.abc import Sequence
from math import comb

import numpy as np
import pytest

from saccade_server.metrics import CallTotal, VersionStatistics
from saccade_server.registry.comparison import binomial_tail, compare_calls, compare_faults


def done(requests: int, faults: int) -> VersionStatistics:
    """What a version did, of whose requests so many failed by our fault."""
    statistics = VersionStatistics(faults=faults)
    statistics.success.count = requests - faults
    return statistics


@pytest.mark.parametrize(
    ("new", "old", "worse"),
    [
        ((20, 20), (1000, 0), True),
        ((1000, 50), (1000, 2), True),
        ((20, 20), (0, 0), True),
        ((4, 4), (1000, 0), False),
        ((1000, 4), (1000, 0), False),
        ((100_000, 50), (100_000, 0), False),
        ((1000, 150), (1000, 100), False),
        ((20, 5), (20, 3), False),
        ((40, 8), (0, 0), False),
    ],
    ids=[
        "all",
        "many more",
        "all, and nobody knows the old one",
        "too few requests",
        "too few faults",
        "rare anyway",
        "not twice as many",
        "may be chance",
        "some, and nobody knows the old one",
    ],
)
def test_faults_are_worse_if_they_are_more_by_far_and_not_by_chance(
    new: tuple[int, int], old: tuple[int, int], worse: bool
) -> None:
    """All three are needed: enough cases, a ratio, significance."""
    expected = f"{new[1]} of {new[0]} requests failed" if worse else ""

    assert expected == compare_faults(done(*new), done(*old))


def calls(sizes: Sequence[int], seconds: Sequence[float]) -> dict[int, CallTotal]:
    """Engine calls of these sizes and times."""
    statistics = VersionStatistics()
    for images, each in zip(sizes, seconds, strict=True):
        statistics.add_batch(images, each)
    return statistics.batches


def cost(images: int) -> float:
    """Of the old version: a part for the call, and one for each image."""
    return 0.002 + 0.001 * images


def test_larger_batches_are_not_slower() -> None:
    """More load forms them; each costs what the old version's would."""
    sizes = [1] * 5 + [32] * 100

    assert 0.0 == compare_calls(calls(sizes, [cost(each) for each in sizes]), cost)


def test_three_times_the_time_is_slower_whatever_the_sizes() -> None:
    """The answer says how many times."""
    sizes = [1 + number % 32 for number in range(100)]
    ratio = compare_calls(calls(sizes, [3 * cost(each) for each in sizes]), cost)

    assert ratio == pytest.approx(3)


@pytest.mark.parametrize("times", [1.0, 1.9])
def test_a_little_slower_is_not_slower(times: float) -> None:
    """Machines have neighbours."""
    assert 0.0 == compare_calls(calls([4] * 1000, [times * cost(4)] * 1000), cost)


def test_a_few_hiccups_do_not_count() -> None:
    """Two calls of a hundred took a second: the mean is high, and so is its deviation."""
    assert 0.0 == compare_calls(calls([1] * 100, [0.003] * 98 + [1.0, 1.0]), cost)


def test_few_calls_do_not_count() -> None:
    """Nor do those that nothing is known to compare with."""
    few = calls([1] * 19, [1.0] * 19)
    many = calls([1] * 100, [1.0] * 100)

    assert (0.0, 0.0) == (compare_calls(few, cost), compare_calls(many, lambda _: 0.0))


def test_noise_alone_is_hardly_ever_slower() -> None:
    """A thousand new versions as quick as the old one, on a machine whose times scatter widely."""
    random = np.random.default_rng(1)
    times = 0.003 * random.lognormal(0, 0.8, (1000, 30))
    verdicts = [compare_calls(calls([1] * 30, row.tolist()), cost) > 0 for row in times]

    assert sum(verdicts) <= 3


@pytest.mark.parametrize(("least", "trials", "chance"), [(5, 20, 0.1), (19, 20, 0.5), (1, 3, 0.01)])
def test_the_tail_of_the_binomial_distribution(least: int, trials: int, chance: float) -> None:
    """As its definition has it."""
    expected = sum(
        comb(trials, n) * chance**n * (1 - chance) ** (trials - n) for n in range(least, trials + 1)
    )

    assert pytest.approx(expected, rel=1e-9) == binomial_tail(least, trials, chance)
