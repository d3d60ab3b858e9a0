"""Rows with an open loop: requests come whether or not the server keeps up."""

from statistics import median

from .contenders import NAIVE_SERVER
from .ground import Ground
from .samples import Rounds, median_of, median_ratio, rates
from .targets import Check, Found

OVERLOAD = 3.0
POISSON_SHARE = 0.7


def measure_poisson(ground: Ground, *, callers: int, also: tuple[str, ...] = ()) -> Found:
    """Poisson arrivals at 70 % of the closed loop's rate, taken just before.

    Args:
        ground: Where.
        callers: Of the closed loop.
        also: Names of our servers that only some rows have.
    """
    request = ground.pixels(1)
    ours = [*ground.ours, *also]
    rounds: Rounds = {}
    checks = []
    for number in range(ground.settings.rounds):
        alone = ground.loop(ground.job(callers=1, batch=1))
        rounds.setdefault("LiteRT alone, batch 1", []).append(alone)
        for name in ours:
            capacity = ground.closed(name, request, callers, share=0.5)
            rate = POISSON_SHARE * capacity.images_per_s
            sample = ground.open(name, request, rate, seed=number)
            rounds.setdefault(f"{name}, capacity", []).append(capacity)
            rounds.setdefault(f"{name}, 70 %", []).append(sample)
    lone = median_of(rounds["LiteRT alone, batch 1"], lambda sample: sample.p50_s)
    for name in ours:
        tail = median_of(rounds[f"{name}, 70 %"], lambda sample: sample.p99_s)
        checks.append(
            Check(subject=name, what="p99", limit=(4 * lone + 0.005) * 1e3, reached=tail * 1e3,
                  at_most=True, unit="ms")
        )  # fmt: skip
    return Found(rounds=rounds, checks=checks)


def measure_overload(ground: Ground, *, callers: int, deadline_s: float) -> Found:
    """Three times what can be done, with deadlines: what still is of use, and how it says no.

    Args:
        ground: Where.
        callers: Of the closed loop that tells what can be done.
        deadline_s: Of each request.
    """
    request = ground.pixels(1)
    rounds: Rounds = {}
    for number in range(ground.settings.rounds):
        for name in [*ground.ours, NAIVE_SERVER.name]:
            capacity = ground.closed(name, request, callers, share=0.5)
            rate = OVERLOAD * capacity.images_per_s
            sample = ground.open(name, request, rate, seed=number, deadline_s=deadline_s)
            rounds.setdefault(f"{name}, capacity", []).append(capacity)
            rounds.setdefault(f"{name}, 3 x", []).append(sample)
    checks = []
    for name in ground.ours:
        good = rounds[f"{name}, 3 x"]
        ratio = median_ratio(rates(good), rates(rounds[f"{name}, capacity"]))
        refusals = [sample.refusal_p99_s for sample in good if sample.refusal_p99_s is not None]
        refused = median(refusals) if refusals else float("nan")
        checks += [
            Check(subject=name, what="goodput / capacity", limit=0.9, reached=ratio, unit="%"),
            Check(subject=name, what="refusals, p99", limit=20.0, reached=refused * 1e3,
                  at_most=True, unit="ms"),
        ]  # fmt: skip
    return Found(rounds=rounds, checks=checks)
