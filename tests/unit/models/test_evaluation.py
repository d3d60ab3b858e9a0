import numpy as np
import pytest

from saccade_models.datasets import Split
from saccade_models.evaluation import evaluate, measure


class RecordingEngine:
    """An engine that says class 1 and remembers the batches."""

    name = "recording"

    def __init__(self) -> None:
        self.batches: list[tuple[tuple[int, ...], str]] = []

    def predict(self, images: np.ndarray) -> np.ndarray:
        self.batches.append((images.shape, str(images.dtype)))
        return np.tile(np.array([0.25, 0.75], np.float32), (len(images), 1))

    def close(self) -> None:
        pass


def test_accuracy_is_the_share_of_right_best_classes() -> None:
    """Two of three rows have their largest probability at the truth."""
    rows = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], np.float32)

    figures = measure(rows, np.array([0, 1, 1]))

    assert (3, 2, 2 / 3) == (figures.samples, figures.correct, figures.accuracy)


def test_the_loss_is_the_mean_cross_entropy() -> None:
    """It is the mean of -log of the probability of the truth."""
    rows = np.array([[0.5, 0.5], [0.25, 0.75]], np.float32)

    assert pytest.approx((np.log(2) + np.log(4)) / 2) == measure(rows, np.array([0, 0])).loss


def test_a_probability_of_zero_does_not_make_the_loss_infinite() -> None:
    """One sure and wrong answer would otherwise hide all others."""
    assert np.isfinite(measure(np.array([[0, 1]], np.float32), np.array([0])).loss)


def test_every_sample_is_measured() -> None:
    """The last, smaller batch counts too."""
    engine = RecordingEngine()
    split = Split(images=np.zeros((300, 2, 2, 1), np.uint8), labels=np.ones(300, dtype=np.int64))

    figures = evaluate(engine, split)

    assert ([((256, 2, 2, 1), "float32"), ((44, 2, 2, 1), "float32")], 300) == (
        engine.batches,
        figures.correct,
    )
