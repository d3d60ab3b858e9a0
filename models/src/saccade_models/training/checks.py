"""Whether a data set can be trained on: asked before anything is computed."""

import numpy as np

from saccade_models.datasets import Dataset
from saccade_models.errors import ConfigError, ModelsError


def check_trainable(dataset: Dataset, batch_size: int) -> None:
    """Refuses what can't become a classifier.

    Raises:
        ConfigError: A batch is larger than the training split.
        ModelsError: There is one class only, or a class or a split has too few images.
    """
    labels = dataset.class_labels
    if len(labels) < 2:
        raise ModelsError(
            f"{dataset.name} has one class only ({', '.join(labels)}): a classifier needs two"
        )
    counts = np.bincount(dataset.train.labels, minlength=len(labels))
    missing = [label for label, count in zip(labels, counts, strict=True) if count == 0]
    if missing:
        raise ModelsError(
            f"{dataset.name} has too few images: none to train on of {', '.join(missing)}"
        )
    for split, name in [(dataset.validation, "validation"), (dataset.test, "test")]:
        if len(split) == 0:
            raise ModelsError(f"{dataset.name} has too few images: none are left for {name}")
    if batch_size > len(dataset.train):
        raise ConfigError(
            f"batch-size must be at most {len(dataset.train)}, the training split of "
            f"{dataset.name}, got {batch_size}"
        )
