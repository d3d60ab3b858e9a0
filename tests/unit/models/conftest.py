"""Data for quick trainings."""

from collections.abc import Iterator

import numpy as np
import pytest

from saccade_models.datasets import Dataset, Split, load_dataset


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The whole data set."""
    return load_dataset("digits")


@pytest.fixture(scope="session")
def few_digits(digits: Dataset) -> Dataset:
    """Its first images, enough to train on for a moment."""

    def first(split: Split, count: int) -> Split:
        return Split(images=split.images[:count], labels=split.labels[:count])

    return Dataset(
        name=digits.name,
        class_labels=digits.class_labels,
        train=first(digits.train, 48),
        validation=first(digits.validation, 16),
        test=first(digits.test, 16),
    )


@pytest.fixture
def noise() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Four images of random pixels, as the graph takes them."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (4, 28, 28, 1)).astype(np.float32)


@pytest.fixture
def double_precision() -> Iterator[None]:
    """Keras computes in float64: what then differs is the formula, not the rounding."""
    import keras

    # The policy is made of floatx when it is first asked for, and then stays: both are put back.
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
