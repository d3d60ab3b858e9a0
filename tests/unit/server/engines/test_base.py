"""What all engines have in common."""

import numpy as np
import pytest

from saccade_server.engines.base import check_shape, softmax
from saccade_server.errors import EngineError


def test_softmax_is_what_the_books_say() -> None:
    """Powers of e, divided by their sum, row by row."""
    logits = np.random.default_rng(1).normal(0, 3, (5, 7)).astype(np.float32)
    powers = np.exp(logits.astype(np.float64))

    assert pytest.approx(powers / powers.sum(axis=1, keepdims=True), rel=1e-5) == softmax(logits)


@pytest.mark.parametrize("size", [100.0, 1e4, 1e30])
def test_softmax_does_not_overflow(size: float) -> None:
    """Whatever a network gives."""
    logits = np.array([[size, 0, -size], [-size, -size, -size]], np.float32)

    assert pytest.approx(np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])) == softmax(logits)


def test_softmax_stays_in_single_precision() -> None:
    """As the engines' own outputs."""
    assert np.float32 == softmax(np.zeros((1, 2), np.float32)).dtype


@pytest.mark.parametrize("shape", [(2, 10), (3, 9), (30,), (3, 10, 1), (3,)])
def test_an_output_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    """One row for each image, one column for each class; the text tells both."""
    with pytest.raises(EngineError) as refused:
        check_shape(np.zeros(shape, np.float32), 3, 10)

    expected = f"the graph gave the shape {shape} for 3 images of 10 classes"
    assert expected == str(refused.value)
