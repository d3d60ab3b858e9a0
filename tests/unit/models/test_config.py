from pathlib import Path
from typing import Any

import pytest

from saccade_models.config import TrainingConfig
from saccade_models.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"network": "perceptron"}, "network must be one of cnn, got 'perceptron'"),
        ({"dataset": "letters"}, "dataset must be one of digits, got 'letters'"),
        ({"loss": "hinge"}, "loss must be one of cross-entropy, mse, got 'hinge'"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch-size must be at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning-rate must be above 0, got 0.0"),
        ({"learning_rate": float("nan")}, "learning-rate must be above 0, got nan"),
        ({"seed": -1}, "seed must be 0 to 4294967295, got -1"),
    ],
)
def test_an_impossible_setting_is_refused(settings: dict[str, Any], expected: str) -> None:
    """The text names the flag, what is possible, and what was given."""
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**{"output": Path("repository"), "name": "digits", **settings})

    assert expected == str(caught.value)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a b", "x" * 129])
def test_a_name_that_is_no_folder_name_everywhere_is_refused(name: str) -> None:
    """A model's name can't lead out of the repository or hide in it."""
    with pytest.raises(ConfigError):
        TrainingConfig(output=Path("repository"), name=name)
