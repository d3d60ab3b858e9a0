import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from saccade_models.networks.normalization import BatchNormalization

SHAPE = (6, 5, 4, 3)
SETTINGS = {"momentum": 0.9, "epsilon": 1e-5}


@pytest.fixture
def features() -> NDArray[np.float32]:
    """Feature maps whose channels differ in mean and spread."""
    values = np.random.default_rng(3).normal(size=SHAPE) * [1, 4, 0.2] + [0, 10, -3]
    return values.astype(np.float32)


@pytest.fixture
def ours() -> BatchNormalization:
    """The layer, with a scale and a shift that are not those of its start."""
    layer = BatchNormalization(**SETTINGS)
    prepare(layer)
    return layer


@pytest.fixture
def theirs() -> keras.layers.BatchNormalization:
    """Keras's own, with the same."""
    layer = keras.layers.BatchNormalization(**SETTINGS)
    prepare(layer)
    return layer


def prepare(layer: keras.layers.Layer) -> None:
    """Builds it and changes its weights."""
    layer.build(SHAPE)
    layer.gamma.assign([0.5, 2.0, -1.0])
    layer.beta.assign([0.1, 0.0, 3.0])


def gradients(layer: keras.layers.Layer, values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Of a sum that weighs each output, by the inputs, the scale and the shift."""
    inputs = tf.constant(values)
    weights = tf.constant(np.random.default_rng(4).normal(size=SHAPE), tf.float32)
    sources = [inputs, layer.gamma.value, layer.beta.value]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        total = tf.reduce_sum(layer(inputs, training=True) * weights)
    return [gradient.numpy() for gradient in tape.gradient(total, sources)]


def test_a_batch_is_normalised_as_keras_does_it(
    ours: BatchNormalization,
    theirs: keras.layers.BatchNormalization,
    features: NDArray[np.float32],
) -> None:
    """By its own mean and variance."""
    expected = theirs(features, training=True).numpy()

    assert ours(features, training=True).numpy() == pytest.approx(expected, abs=1e-5)


def test_the_gradients_are_those_of_keras(
    ours: BatchNormalization,
    theirs: keras.layers.BatchNormalization,
    features: NDArray[np.float32],
) -> None:
    """By the inputs, the scale and the shift."""
    for expected, gradient in zip(
        gradients(theirs, features), gradients(ours, features), strict=True
    ):
        assert gradient == pytest.approx(expected, abs=1e-3)


def test_the_moving_statistics_follow_the_mean_and_the_unbiased_variance(
    ours: BatchNormalization, features: NDArray[np.float32]
) -> None:
    """A tenth of the way in each step."""
    ours(features, training=True)

    mean, variance = features.mean((0, 1, 2)), features.var((0, 1, 2), ddof=1)
    assert ours.moving_mean.numpy() == pytest.approx(0.1 * mean, rel=1e-4)
    assert ours.moving_variance.numpy() == pytest.approx(0.9 + 0.1 * variance, rel=1e-4)


@pytest.mark.parametrize("frozen", [False, True])
def test_outside_of_training_and_where_frozen_the_moving_statistics_count(
    ours: BatchNormalization, features: NDArray[np.float32], frozen: bool
) -> None:
    """They stay as they are, and an image is judged without its neighbours."""
    ours.moving_mean.assign([1.0, 2.0, 3.0])
    ours.trainable = not frozen

    outputs = ours(features, training=frozen).numpy()

    scaled = (features - [1, 2, 3]) / np.sqrt(1 + 1e-5)
    assert outputs == pytest.approx(scaled * [0.5, 2.0, -1.0] + [0.1, 0.0, 3.0], abs=1e-4)
    assert [1, 2, 3] == list(ours.moving_mean.numpy())


def test_in_bfloat16_the_statistics_stay_float32(features: NDArray[np.float32]) -> None:
    """Only what passes through is short."""
    layer = BatchNormalization(dtype="mixed_bfloat16", **SETTINGS)
    prepare(layer)

    outputs = layer(features, training=True)

    assert ("bfloat16", "float32") == (outputs.dtype.name, layer.moving_variance.dtype)
