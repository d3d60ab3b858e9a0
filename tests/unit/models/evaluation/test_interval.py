import pytest

from saccade_models.evaluation.interval import wilson_interval


@pytest.mark.parametrize(
    ("correct", "samples", "low", "high"),
    [
        # R: prop.test(x, n, correct = FALSE)$conf.int
        (8, 10, 0.4901625, 0.9433178),
        (50, 100, 0.4038315, 0.5961685),
        (0, 10, 0.0, 0.2775328),
        (10, 10, 0.7224672, 1.0),
    ],
)
def test_the_interval_is_wilsons(correct: int, samples: int, low: float, high: float) -> None:
    """Known values of the score interval without continuity correction."""
    assert pytest.approx((low, high), abs=1e-6) == wilson_interval(correct, samples)


def test_the_ends_solve_wilsons_equation() -> None:
    """At either end the observed fraction is 1.96 standard errors of that end away."""
    low, high = wilson_interval(359, 360)
    distances = [abs(359 / 360 - end) / (end * (1 - end) / 360) ** 0.5 for end in (low, high)]

    assert pytest.approx([1.959964, 1.959964], rel=1e-6) == distances
