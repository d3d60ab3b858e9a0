from dataclasses import replace

import pytest

from saccade_models.evaluation.calibration import Bin
from saccade_models.report import charts
from saccade_models.training.history import Epoch

EPOCH = Epoch(
    number=1, loss=2, accuracy=0.5, val_loss=1, val_accuracy=0.6, learning_rate=0.1, seconds=1
)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 2.3, [0, 0.5, 1, 1.5, 2, 2.5]),
        (0.981, 0.994, [0.98, 0.985, 0.99, 0.995]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_round_and_enclose_the_values(
    low: float, high: float, expected: list[float]
) -> None:
    """Steps of 1, 2 or 5 times a power of ten."""
    assert pytest.approx(expected) == charts.round_ticks(low, high, 5)


def test_the_best_accuracy_is_highest() -> None:
    """Places grow downwards in a drawing."""
    history = [EPOCH, replace(EPOCH, number=2, accuracy=0.9, val_accuracy=0.8)]

    accuracy, _ = charts.draw_training(history, 2)
    train, validation = accuracy.lines

    assert (True, True) == (
        train.points[1][1] < train.points[0][1],
        validation.points[1][1] > train.points[1][1],
    )


def test_every_point_is_inside_the_drawing() -> None:
    """Also of a single epoch, and of an accuracy of exactly 0 or 1."""
    for history in (
        [EPOCH],
        [replace(EPOCH, accuracy=0.0), replace(EPOCH, number=2, accuracy=1.0, val_accuracy=1.0)],
        [replace(EPOCH, loss=0.0, val_loss=0.0)],
        [replace(EPOCH, loss=1e-6), replace(EPOCH, number=2, loss=90.0)],
    ):
        for curves in charts.draw_training(history, 1):
            for x, y in (point for line in curves.lines for point in line.points):
                assert charts.LEFT <= x <= charts.WIDTH - charts.RIGHT
                assert charts.TOP - 0.01 <= y <= charts.HEIGHT - charts.BOTTOM + 0.01


def test_a_loss_that_falls_far_is_drawn_logarithmically() -> None:
    """Otherwise its end would be a flat line."""
    history = [EPOCH, replace(EPOCH, number=2, loss=0.01)]

    assert ["Accuracy", "Loss (logarithmic)"] == [
        curves.title for curves in charts.draw_training(history, 2)
    ]


def test_empty_bins_are_not_drawn() -> None:
    """The fullest of the others has the share 1."""
    bins = (
        Bin(low=0, high=0.5, samples=0, accuracy=None, confidence=None),
        Bin(low=0.5, high=1, samples=4, accuracy=0.5, confidence=0.75),
    )

    (bar,) = charts.draw_reliability(bins)

    assert (0.5, 0.5, 0.5, 0.75, 1) == (
        bar.x,
        bar.width,
        bar.accuracy,
        bar.confidence,
        bar.share,
    )
