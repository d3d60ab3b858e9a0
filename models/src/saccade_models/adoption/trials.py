"""Which range and order of colors a graph was trained on: tried out on labelled pictures.

A wrong one costs accuracy, often most of it, and nothing else tells. All candidates see the same
pictures, so they are compared picture by picture, by McNemar's exact test (Q. McNemar, Note on the
sampling error of the difference between correlated proportions, Psychometrika 12, 1947).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from saccade_models.adoption.ranges import Preprocessing

SIGNIFICANCE = 0.01
"""How probable a lead may be among candidates that are equally good."""

SMALLEST = np.finfo(np.float32).tiny

Predict = Callable[[Preprocessing], NDArray[np.float32]]
"""Probabilities of all samples, shape (N, K), under one preprocessing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of one candidate.

    Attributes:
        right: Shape (N,), bool: whether the best class is the true one.
        loss: Mean cross-entropy in nats.
    """

    preprocessing: Preprocessing
    right: NDArray[np.bool_]
    loss: float

    @property
    def accuracy(self) -> float:
        """0 to 1."""
        return float(self.right.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All trials, the best first.

    Attributes:
        rivals: Those, the best included, that the samples can't tell from the best.
        better_than_guessing: Whether the best is, beyond chance.
    """

    trials: tuple[Trial, ...]
    rivals: tuple[Trial, ...]
    better_than_guessing: bool

    @property
    def winner(self) -> Preprocessing | None:
        """The only one that fits, if there is one."""
        clear = self.better_than_guessing and len(self.rivals) == 1
        return self.trials[0].preprocessing if clear else None

    @property
    def missing_flags(self) -> tuple[str, ...]:
        """What a person must say where there is no winner."""
        left = self.rivals if self.better_than_guessing else self.trials
        ranges = {trial.preprocessing.range.name for trial in left}
        colors = {trial.preprocessing.color_space for trial in left}
        return ("--range",) * (len(ranges) > 1) + ("--color",) * (len(colors) > 1)

    def table(self) -> list[str]:
        """Lines for a person: each candidate with its accuracy and loss."""
        rows = [
            (str(trial.preprocessing), trial.preprocessing.range.text, trial)
            for trial in self.trials
        ]
        width = max(len(name) for name, _, _ in rows)
        wide = max(len(text) for _, text, _ in rows)
        return [
            f"{name:{width}}  {text:{wide}}  accuracy {trial.accuracy:6.1%}  loss {trial.loss:.3f}"
            for name, text, trial in rows
        ]


def compare_candidates(
    candidates: Sequence[Preprocessing], predict: Predict, labels: NDArray[np.int64]
) -> Verdict:
    """Tries all candidates on the same samples.

    Args:
        candidates: At least one.
        predict: Runs the graph.
        labels: Shape (N,), the true classes; N at least 1.
    """
    trials = sorted(
        (_try(candidate, predict(candidate), labels) for candidate in candidates),
        key=lambda trial: (-trial.accuracy, trial.loss),
    )
    best = trials[0]
    rivals = [
        trial for trial in trials if lead_probability(best.right, trial.right) >= SIGNIFICANCE
    ]
    commonest = float(np.bincount(labels).max() / len(labels))
    chance = tail_probability(int(best.right.sum()), len(labels), commonest)
    return Verdict(
        trials=tuple(trials), rivals=tuple(rivals), better_than_guessing=chance < SIGNIFICANCE
    )


def lead_probability(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """McNemar's exact test, two-sided: how probable such a difference is if both are as good."""
    wins, losses = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    different = wins + losses
    return min(1.0, 2 * tail_probability(max(wins, losses), different, 0.5))


def tail_probability(successes: int, trials: int, probability: float) -> float:
    """The binomial distribution's upper tail: at least so many successes."""
    return sum(
        comb(trials, k) * probability**k * (1 - probability) ** (trials - k)
        for k in range(successes, trials + 1)
    )


def _try(
    candidate: Preprocessing, probabilities: NDArray[np.float32], labels: NDArray[np.int64]
) -> Trial:
    of_truth = probabilities[np.arange(len(labels)), labels]
    return Trial(
        preprocessing=candidate,
        right=probabilities.argmax(axis=1) == labels,
        loss=float(-np.mean(np.log(np.maximum(of_truth, SMALLEST)))),
    )
