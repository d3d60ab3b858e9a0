from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset
from saccade_models.errors import ModelsError
from saccade_models.training import fit_classifier


def fit(dataset: Dataset, **settings: Any) -> list[Any]:
    """The weights after a moment of training."""
    config = TrainingConfig(
        **{"output": Path("unused"), "name": "digits", "epochs": 1, "batch_size": 16, **settings}
    )
    weights: list[Any] = fit_classifier(config, dataset).get_weights()
    return weights


def test_the_same_seed_gives_the_same_weights(few_digits: Dataset) -> None:
    """Start, order and augmentation all hang on the seed, and every operation is deterministic."""
    first, second = fit(few_digits, seed=3), fit(few_digits, seed=3)

    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_another_seed_gives_other_weights(few_digits: Dataset) -> None:
    """The seed is used."""
    first, second = fit(few_digits, seed=3), fit(few_digits, seed=4)

    assert not np.array_equal(first[0], second[0])


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_training_learns(few_digits: Dataset, loss: str) -> None:
    """After some passes over few images most of them are told apart, with either loss."""
    config = TrainingConfig(
        output=Path("unused"), name="digits", epochs=12, batch_size=8, loss=loss
    )

    logits = fit_classifier(config, few_digits)(few_digits.train.images.astype(np.float32)).numpy()

    assert np.mean(logits.argmax(axis=1) == few_digits.train.labels) > 0.7


def test_a_loss_that_is_no_number_stops_the_training(few_digits: Dataset) -> None:
    """The text says what to try; no artifact is made of such weights."""
    with pytest.raises(ModelsError) as caught:
        fit(few_digits, learning_rate=1e30, epochs=3)

    assert "the loss became infinite: try a learning-rate below 1e+30" == str(caught.value)
