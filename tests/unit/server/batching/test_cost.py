"""What the batcher learns about its engines."""

import numpy as np
import pytest

from saccade_server.batching.cost import CostModel


def learned(*calls: tuple[int, float]) -> CostModel:
    """A model that has seen these calls: images, seconds."""
    cost = CostModel()
    for images, seconds in calls:
        cost.observe(images, seconds)
    return cost


def test_nothing_known_costs_nothing() -> None:
    """Before the first call the cost is 0, not a guess."""
    assert 0 == CostModel()(32)


def test_no_images_cost_nothing() -> None:
    """Whatever is known of calls."""
    assert 0 == learned((1, 1.0), (4, 1.0))(0)


@pytest.mark.parametrize("images", [1, 3, 8, 32, 256])
def test_a_line_is_learned_exactly(images: int) -> None:
    """Calls of 2 ms and 0.5 ms an image, of sizes 1, 8 and 16, tell the cost of any size."""
    cost = learned(*((size, 0.002 + 0.0005 * size) for size in (1, 8, 16)))

    assert pytest.approx(0.002 + 0.0005 * images) == cost(images)


def test_noise_is_averaged() -> None:
    """A thousand calls that scatter by a tenth: the line is found within 5 %."""
    random = np.random.default_rng(7)
    sizes = random.integers(1, 33, 1000).tolist()
    cost = learned(*((size, (0.002 + 0.0005 * size) * random.normal(1, 0.1)) for size in sizes))

    assert pytest.approx(0.002 + 0.0005 * 32, rel=0.05) == cost(32)


@pytest.mark.parametrize(("images", "seconds"), [(4, 0.1), (8, 0.2), (2, 0.1)])
def test_one_size_only_is_taken_as_proportional_upwards(images: int, seconds: float) -> None:
    """Calls of four images in 0.1 s: eight may take twice as long, two are not promised sooner."""
    assert pytest.approx(seconds) == learned(*[(4, 0.1)] * 20)(images)


def test_a_smaller_batch_is_never_expected_to_take_longer() -> None:
    """Large calls that happened to be quicker do not make the cost of one image soar."""
    cost = learned((1, 0.1), (32, 0.01))

    assert cost(1) == cost(32)


@pytest.mark.parametrize("images", [1, 2, 1000])
@pytest.mark.parametrize("steepness", [1, 2, 3])
def test_the_cost_is_never_negative(images: int, steepness: int) -> None:
    """Even where calls grow faster than their images, so that the line would cut below zero."""
    cost = learned(*((size, 1e-4 * size**steepness) for size in (8, 16, 32)))

    assert cost(images) > 0


def test_an_old_pace_is_forgotten() -> None:
    """After two hundred calls at a tenth of the pace, 98 % of the old one is gone."""
    sizes = [1, 8, 16, 32] * 50
    old, new = ([(size, pace * size) for size in sizes] for pace in (0.01, 0.1))

    assert pytest.approx(0.1 * 32, rel=0.03) == learned(*old, *new)(32)
