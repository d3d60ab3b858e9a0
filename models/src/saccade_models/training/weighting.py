"""What an image of each class counts in the loss."""

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Dataset


def class_weights(kind: str, dataset: Dataset) -> NDArray[np.float64]:
    """What an image of each class counts, shape (K,): 1, or N / (K * images of the class).

    Source: G. King, L. Zeng, Logistic regression in rare events data, 2001.
    """
    classes = len(dataset.class_labels)
    if kind == "none":
        return np.ones(classes)
    counts = np.bincount(dataset.train.labels, minlength=classes)
    return np.asarray(len(dataset.train) / (classes * counts))
