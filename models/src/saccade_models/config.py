"""The settings of a training."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from saccade_models.datasets import DATASETS
from saccade_models.errors import ConfigError
from saccade_models.losses import LOSSES
from saccade_models.networks import NETWORKS, NetworkOptions
from saccade_models.repository import check_model_name

MAX_SEED = 2**32 - 1
QUANTIZATIONS = ("none", "dynamic", "float16", "int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """What to train on what, how, and where to put it.

    `output` is the model repository; the version lands in `output/name/`. `learning_rate` is the
    first one: it falls to 0 along a half cosine. The same `seed` on the same machine gives the
    same weights. `quantize` is one of QUANTIZATIONS: what becomes of the form that servers run;
    with `force` it may lose more accuracy than is allowed.
    """

    output: Path
    name: str
    network: str = "cnn"
    dataset: str = "digits"
    options: NetworkOptions = field(default_factory=NetworkOptions)
    loss: str = "cross-entropy"
    epochs: int = 25
    batch_size: int = 64
    learning_rate: float = 2e-3
    seed: int = 1
    quantize: str = "none"
    force: bool = False

    @classmethod
    def default(cls, setting: str) -> Any:
        """What a setting is where nothing is said."""
        return next(known.default for known in fields(cls) if known.name == setting)

    def __post_init__(self) -> None:
        check_model_name(self.name)
        for setting, value, known in [
            ("network", self.network, NETWORKS),
            ("dataset", self.dataset, DATASETS),
            ("loss", self.loss, LOSSES),
            ("quantize", self.quantize, QUANTIZATIONS),
        ]:
            if value not in known:
                raise ConfigError(f"{setting} must be one of {', '.join(known)}, got {value!r}")
        if self.epochs < 1:
            raise ConfigError(f"epochs must be at least 1, got {self.epochs}")
        if self.batch_size < 1:
            raise ConfigError(f"batch-size must be at least 1, got {self.batch_size}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ConfigError(f"learning-rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.seed <= MAX_SEED:
            raise ConfigError(f"seed must be 0 to {MAX_SEED}, got {self.seed}")
