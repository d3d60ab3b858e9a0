"""The settings of a training."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from saccade_models.augmentation import AUGMENTATIONS
from saccade_models.datasets import DATASETS, PictureForm
from saccade_models.errors import ConfigError
from saccade_models.losses import LOSSES
from saccade_models.networks import NETWORKS, NetworkOptions
from saccade_models.repository import check_model_name
from saccade_models.training.precision import PRECISIONS
from saccade_models.training.schedule import SCHEDULES

MAX_SEED = 2**32 - 1
OPTIMIZERS = ("adam", "sgd")
CLASS_WEIGHTS = ("none", "balanced")
QUANTIZATIONS = ("none", "dynamic", "float16", "int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """What to train on what, how, and where to put it.

    Attributes:
        output: The model repository; the version lands in `output/name/`.
        name: The model's.
        network: One of NETWORKS.
        dataset: One of DATASETS.
        data_dir: The folder that holds the data set; None downloads what is not embedded.
        form: Size and colours of a folder's pictures; None is the default, and for other data sets.
        cache_mb: MiB of decoded pictures to keep in memory, for data sets that are read meanwhile.
        options: What can be varied in a network.
        loss: One of LOSSES.
        epochs: Passes over the training split.
        batch_size: Images a step.
        optimizer: "adam", or "sgd" with Nesterov's momentum.
        momentum: Of sgd, 0 to below 1.
        learning_rate: The highest one.
        schedule: How it falls, one of SCHEDULES.
        warmup_epochs: How long it rises before; may be a fraction; below `epochs`.
        weight_decay: Decoupled: a step shrinks kernels by the learning rate times this.
        label_smoothing: What part of the truth is spread over all classes, 0 to below 1.
        class_weights: "balanced" weights each image by N / (K * images of its class).
        augmentation: One of AUGMENTATIONS.
        ema: Decay of an exponential moving average of the weights, which is then what is evaluated
            and exported; 0 is off.
        patience: Stop after so many epochs without a better validation, and take the weights of
            the best one; 0 is off.
        precision: What the network computes with in training, one of PRECISIONS. It is evaluated
            and exported in float32.
        seed: The same one on the same machine gives the same weights.
        quantize: One of QUANTIZATIONS: what becomes of the form that servers run.
        force: The quantised form may lose more accuracy than is allowed.
        checkpoint_dir: Where the state after each epoch is kept; None is in `output/name/`.
        restart: Train from the beginning even if there is such a state.
        tensorboard: Where TensorBoard's event files go; None writes none.
    """

    output: Path
    name: str
    network: str = "cnn"
    dataset: str = "digits"
    data_dir: Path | None = None
    form: PictureForm | None = None
    cache_mb: int = 1024
    options: NetworkOptions = field(default_factory=NetworkOptions)
    loss: str = "cross-entropy"
    epochs: int = 25
    batch_size: int = 64
    optimizer: str = "adam"
    momentum: float = 0.9
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    warmup_epochs: float = 0.0
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    class_weights: str = "none"
    augmentation: str = "auto"
    ema: float = 0.0
    patience: int = 0
    precision: str = "float32"
    seed: int = 1
    quantize: str = "none"
    force: bool = False
    checkpoint_dir: Path | None = None
    restart: bool = False
    tensorboard: Path | None = None

    @classmethod
    def default(cls, setting: str) -> Any:
        """What a setting is where nothing is said."""
        return next(known.default for known in fields(cls) if known.name == setting)

    def __post_init__(self) -> None:
        check_model_name(self.name)
        for setting, known in CHOICES.items():
            value = getattr(self, setting)
            if value not in known:
                raise ConfigError(
                    f"{_flag(setting)} must be one of {', '.join(known)}, got {value!r}"
                )
        for setting, low, excluded in FROM_LOW_TO_BELOW:
            value = getattr(self, setting)
            if not low <= value < excluded:
                end = "" if excluded == math.inf else f" and below {excluded:g}"
                raise ConfigError(f"{_flag(setting)} must be at least {low:g}{end}, got {value:g}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ConfigError(f"learning-rate must be above 0, got {self.learning_rate}")
        if self.warmup_epochs >= self.epochs:
            raise ConfigError(
                f"warmup-epochs must be below epochs ({self.epochs}), got {self.warmup_epochs:g}"
            )
        if not 0 <= self.seed <= MAX_SEED:
            raise ConfigError(f"seed must be 0 to {MAX_SEED}, got {self.seed}")


CHOICES = {
    "network": tuple(NETWORKS),
    "dataset": tuple(DATASETS),
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "class_weights": CLASS_WEIGHTS,
    "augmentation": AUGMENTATIONS,
    "precision": PRECISIONS,
    "quantize": QUANTIZATIONS,
}
FROM_LOW_TO_BELOW = (
    ("epochs", 1, math.inf),
    ("batch_size", 1, math.inf),
    ("cache_mb", 0, math.inf),
    ("momentum", 0, 1),
    ("warmup_epochs", 0, math.inf),
    ("weight_decay", 0, math.inf),
    ("label_smoothing", 0, 1),
    ("ema", 0, 1),
    ("patience", 0, math.inf),
)


def _flag(setting: str) -> str:
    return setting.replace("_", "-")
