"""Whether a new version is clearly worse than the one before it, from what both have done.

Two questions, each with a least number of cases, a least ratio and a test of significance, so that
neither bad luck nor a difference that nobody would notice takes a version away:

- Do more of its requests fail by our own fault? Binomial test against the old one's rate.
- Do its engine calls take longer? Each call is compared with what the old version's would cost for
  as many images, so a load that forms larger batches is no difference.
"""

import math
from collections.abc import Callable, Mapping

from saccade_server.metrics import CallTotal, VersionStatistics

MIN_REQUESTS = 20
MIN_FAULTS = 5
WORSE_FAULTS = 2.0
"""How many times the old version's rate of faults is too much..."""

MORE_FAULTS = 0.01
"""... if it is also this much more, as a share of the requests."""

MIN_CALLS = 20
SLOWER = 2.0
"""How many times the old version's time is too much: more than neighbours on a machine do."""

CHANCE = 0.001
DEVIATIONS = 3.1
"""The same chance as deviations of the normal distribution, one-sided."""


def compare_faults(new: VersionStatistics, old: VersionStatistics) -> str:
    """What to say of a new version that fails more often; empty if it does not, or not clearly."""
    requests, faults = _requests(new), new.faults
    if requests < MIN_REQUESTS or faults < MIN_FAULTS:
        return ""
    # Laplace's rule: one that was hardly ever asked has not shown that it never fails.
    expected = (old.faults + 1) / (_requests(old) + 2)
    rate = faults / requests
    if rate < WORSE_FAULTS * expected or rate - expected < MORE_FAULTS:
        return ""
    if binomial_tail(faults, requests, expected) > CHANCE:
        return ""
    return f"{faults} of {requests} requests failed"


def compare_calls(calls: Mapping[int, CallTotal], cost: Callable[[int], float]) -> float:
    """How many times the old version's time the engine calls of a new one take.

    Args:
        calls: Of the new version, by their images.
        cost: Seconds of the old version's call of so many images; 0: not known.

    Returns:
        That, if it is clearly more than `SLOWER`; else 0.
    """
    known = [(total, cost(images)) for images, total in calls.items() if cost(images) > 0]
    count = sum(total.count for total, _ in known)
    if count < MIN_CALLS:
        return 0.0
    seconds = sum(total.seconds for total, _ in known)
    expected = sum(total.count * each for total, each in known)
    ratio = seconds / expected
    # Of the calls' distances from what this ratio makes of the old version's time.
    squares = sum(
        total.squares - 2 * ratio * each * total.seconds + (ratio * each) ** 2 * total.count
        for total, each in known
    )
    deviation = math.sqrt(max(squares, 0.0) * count / (count - 1))
    return ratio if seconds - DEVIATIONS * deviation > SLOWER * expected else 0.0


def binomial_tail(least: int, trials: int, chance: float) -> float:
    """The probability of at least so many successes in so many trials.

    For more than are to be expected: where they are not, it is taken to be 1.
    """
    if least <= trials * chance:
        return 1.0
    first = math.exp(
        math.lgamma(trials + 1) - math.lgamma(least + 1) - math.lgamma(trials - least + 1)
        + least * math.log(chance) + (trials - least) * math.log1p(-chance)
    )  # fmt: skip
    total, term = 0.0, first
    for successes in range(least, trials + 1):
        total += term
        term *= (trials - successes) / (successes + 1) * chance / (1 - chance)
        if term < 1e-12 * total:
            break
    return min(total, 1.0)


def _requests(done: VersionStatistics) -> int:
    return done.success.count + done.faults
