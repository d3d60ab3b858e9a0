"""What a classifier's answers to labelled images come to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saccade_models.evaluation.calibration import Bin, expected_calibration_error, reliability
from saccade_models.evaluation.interval import wilson_interval

# A probability that underflowed to 0 must not make the mean loss infinite.
SMALLEST = np.finfo(np.float32).tiny
TOP = 5
MIN_CLASSES_FOR_TOP = 11
"""With ten classes or fewer, five guesses are no feat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """Of one class, against all others.

    Attributes:
        support: Images of the class.
        predicted: Images taken for it.
        correct: Both.
    """

    support: int
    predicted: int
    correct: int

    @property
    def precision(self) -> float | None:
        """Of those taken for it, the fraction that was; None where none was."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """Of those that are it, the fraction that was found; None where there are none."""
        return self.correct / self.support if self.support else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both: 2 correct / (support + predicted); None where that is 0."""
        both = self.support + self.predicted
        return 2 * self.correct / both if both else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figures:
    """The answers to N images, and what follows from them.

    Attributes:
        classes: K.
        labels: Shape (N,), the true class indices; N at least 1.
        predicted: Shape (N,), the most probable class.
        ranks: Shape (N,), how many classes come before the true one; 0 is right.
        confidences: Shape (N,), the probability of the predicted class.
        of_truth: Shape (N,), the probability of the true class.
    """

    classes: int
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    ranks: NDArray[np.int64]
    confidences: NDArray[np.float32]
    of_truth: NDArray[np.float32]

    @property
    def samples(self) -> int:
        """N."""
        return len(self.labels)

    @property
    def correct(self) -> int:
        """The number of images whose best class is right."""
        return int(np.sum(self.ranks == 0))

    @property
    def accuracy(self) -> float:
        """The fraction of images whose best class is right."""
        return self.correct / self.samples

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson)."""
        return wilson_interval(self.correct, self.samples)

    @property
    def top_5(self) -> float | None:
        """The fraction whose truth is among the best five; None with ten classes or fewer."""
        return float(np.mean(self.ranks < TOP)) if self.classes >= MIN_CLASSES_FOR_TOP else None

    @property
    def loss(self) -> float:
        """The mean cross-entropy, in nats."""
        return float(-np.mean(np.log(np.maximum(self.of_truth, SMALLEST), dtype=np.float64)))

    @property
    def bins(self) -> tuple[Bin, ...]:
        """What was claimed and what was true, by confidence."""
        return reliability(self.confidences, self.ranks == 0)

    @property
    def ece(self) -> float:
        """The expected calibration error."""
        return expected_calibration_error(self.bins)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that were there or were answered."""
        values = [one.f1 for one in self.by_class() if one.f1 is not None]
        return sum(values) / len(values)

    def by_class(self) -> list[ClassFigures]:
        """The figures of each class, by index."""
        counts = (
            np.bincount(of, minlength=self.classes)
            for of in (self.labels, self.predicted, self.labels[self.ranks == 0])
        )
        return [
            ClassFigures(support=int(support), predicted=int(predicted), correct=int(correct))
            for support, predicted, correct in zip(*counts, strict=True)
        ]

    def confusion(self) -> NDArray[np.int64]:
        """Counts of shape (K, K): rows are the truth, columns the answers. K² numbers: beware."""
        matrix = np.zeros((self.classes, self.classes), np.int64)
        np.add.at(matrix, (self.labels, self.predicted), 1)
        return matrix

    def confused(self, most: int) -> list[tuple[int, int, int]]:
        """The most frequent mistakes: true class, answered class, count; frequent ones first."""
        wrong = self.ranks != 0
        pairs = self.labels[wrong] * self.classes + self.predicted[wrong]
        values, counts = np.unique(pairs, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:most]
        return [
            (int(pair) // self.classes, int(pair) % self.classes, int(count))
            for pair, count in zip(values[order], counts[order], strict=True)
        ]

    def worst(self, most: int) -> NDArray[np.int64]:
        """The positions of the most confident wrong answers, the surest first."""
        wrong = np.flatnonzero(self.ranks != 0)
        return wrong[np.argsort(-self.confidences[wrong], kind="stable")[:most]]


def measure(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Figures:
    """Compares answers with the truth.

    Of classes that are equally probable the first comes first.

    Args:
        probabilities: shape (N, K), N at least 1.
        labels: shape (N,), class indices.
    """
    rows, classes = np.arange(len(labels)), probabilities.shape[1]
    of_truth = probabilities[rows, labels]
    before = probabilities > of_truth[:, np.newaxis]
    ties = probabilities == of_truth[:, np.newaxis]
    before |= ties & (np.arange(classes) < labels[:, np.newaxis])
    predicted = probabilities.argmax(axis=1)
    return Figures(
        classes=classes,
        labels=labels,
        predicted=predicted,
        ranks=before.sum(axis=1),
        confidences=probabilities[rows, predicted],
        of_truth=of_truth,
    )


def join(parts: Sequence[Figures]) -> Figures:
    """The figures of all batches together; at least one, all of the same classes."""
    return Figures(
        classes=parts[0].classes,
        labels=np.concatenate([part.labels for part in parts]),
        predicted=np.concatenate([part.predicted for part in parts]),
        ranks=np.concatenate([part.ranks for part in parts]),
        confidences=np.concatenate([part.confidences for part in parts]),
        of_truth=np.concatenate([part.of_truth for part in parts]),
    )
