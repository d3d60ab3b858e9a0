from pathlib import Path
from typing import Any

import pytest

from saccade_models.config import TrainingConfig
from saccade_models.datasets import DATASETS
from saccade_models.errors import ConfigError
from saccade_models.networks import NETWORKS


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"network": "perceptron"},
            f"network must be one of {', '.join(NETWORKS)}, got 'perceptron'",
        ),
        ({"dataset": "letters"}, f"dataset must be one of {', '.join(DATASETS)}, got 'letters'"),
        ({"loss": "hinge"}, "loss must be one of cross-entropy, mse, got 'hinge'"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch-size must be at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning-rate must be above 0, got 0.0"),
        ({"learning_rate": float("nan")}, "learning-rate must be above 0, got nan"),
        ({"optimizer": "lion"}, "optimizer must be one of adam, sgd, got 'lion'"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1, got 1"),
        ({"schedule": "steps"}, "schedule must be one of cosine, linear, constant, got 'steps'"),
        ({"warmup_epochs": -1.0}, "warmup-epochs must be at least 0, got -1"),
        (
            {"epochs": 3, "warmup_epochs": 3.0},
            "warmup-epochs must be below epochs (3), got 3",
        ),
        ({"weight_decay": -0.1}, "weight-decay must be at least 0, got -0.1"),
        ({"label_smoothing": 1.0}, "label-smoothing must be at least 0 and below 1, got 1"),
        ({"class_weights": "heavy"}, "class-weights must be one of none, balanced, got 'heavy'"),
        ({"ema": 1.0}, "ema must be at least 0 and below 1, got 1"),
        ({"patience": -1}, "patience must be at least 0, got -1"),
        ({"weight_decay": float("nan")}, "weight-decay must be at least 0, got nan"),
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
