import numpy as np
import pytest

from saccade_models.evaluation.calibration import BINS, expected_calibration_error, reliability


def test_there_are_fifteen_bins_of_equal_width() -> None:
    """They cover 0 to 1 without gaps."""
    bins = reliability(np.array([0.5], np.float32), np.array([True]))

    assert pytest.approx(np.arange(BINS + 1) / 15) == [bins[0].low, *(one.high for one in bins)]


def test_a_bin_is_closed_above() -> None:
    """Guo et al. put 1/15 into the first bin; 0 goes there too, and 1 into the last."""
    confidences = np.array([0, 1 / 15, 0.0667, 1], np.float64)

    bins = reliability(confidences, np.ones(4, bool))

    assert ([2, 1], 1) == ([one.samples for one in bins[:2]], bins[-1].samples)


def test_a_bin_tells_what_was_claimed_and_what_was_true() -> None:
    """Two answers of confidence 0.9 and 0.92, one of them right."""
    bins = reliability(np.array([0.9, 0.92], np.float64), np.array([True, False]))

    assert (2, 0.5) == (bins[13].samples, bins[13].accuracy)
    assert pytest.approx(0.91) == bins[13].confidence


def test_an_empty_bin_has_no_means() -> None:
    """0 would look like an answer that is always wrong."""
    bins = reliability(np.array([0.99], np.float64), np.array([True]))

    assert (0, None, None) == (bins[0].samples, bins[0].accuracy, bins[0].confidence)


def test_the_error_is_the_published_formula() -> None:
    """The sum over bins of |B| / N * |acc(B) - conf(B)|, written out plainly."""
    random = np.random.default_rng(0)
    confidences, right = random.uniform(0.1, 1, 500), random.random(500) < 0.6
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidences > low) & (confidences <= low + 1 / 15)
        if inside.any():
            gap = abs(right[inside].mean() - confidences[inside].mean())
            expected += inside.sum() / 500 * gap

    assert pytest.approx(expected) == expected_calibration_error(reliability(confidences, right))
