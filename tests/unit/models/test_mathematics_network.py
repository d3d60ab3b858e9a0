"""The whole network `cnn` is what models/README.md says: the blocks together, forward and back."""

from typing import Any

import numpy as np
import pytest

from saccade_models.datasets import Dataset
from saccade_models.losses import LOSSES, build_loss
from saccade_models.networks import ACTIVATIONS, POOLINGS, NetworkOptions, build_classifier
from unit.models.reference_cnn import ReferenceCnn
from unit.models.reference_layers import Array

# Small, so that plain NumPy is quick; odd, so that pooling leaves a row and a column out.
SHAPE = (9, 9, 1)
CLASSES = 3
LABEL = 2


def small_cnn(activation: str, pooling: str) -> tuple[Any, ReferenceCnn, Array]:
    """The network of Keras, the same in NumPy, and an image."""
    import keras

    keras.utils.set_random_seed(0)
    options = NetworkOptions(activation=activation, pooling=pooling)
    classifier = build_classifier("cnn", SHAPE, CLASSES, options)
    reference = ReferenceCnn(classifier.get_weights(), activation, pooling)
    return classifier, reference, np.random.default_rng(0).uniform(0, 255, SHAPE)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_network_computes_what_the_blocks_compute_one_after_the_other(
    activation: str, pooling: str
) -> None:
    """The logits of an image, by Keras and by the formulas."""
    classifier, reference, pixels = small_cnn(activation, pooling)

    logits = classifier(pixels[np.newaxis]).numpy()[0]

    np.testing.assert_allclose(logits, reference.forward(pixels)["z"], rtol=1e-10, atol=1e-12)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("loss", LOSSES)
def test_back_propagation_gives_the_gradients_that_training_uses(
    activation: str, pooling: str, loss: str
) -> None:
    """By every weight and by the pixels, as the formulas and as TensorFlow's tape give them."""
    import tensorflow as tf

    classifier, reference, pixels = small_cnn(activation, pooling)
    images = tf.constant(pixels[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = build_loss(loss)(tf.constant([LABEL]), classifier(images))
    weights = [weight.value for weight in classifier.trainable_weights]
    theirs = [gradient.numpy() for gradient in tape.gradient(value, [images, *weights])]

    by_pixels, by_weights = reference.backward(pixels, LABEL, loss)

    for expected, actual in zip([by_pixels[np.newaxis], *by_weights], theirs, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-7, atol=1e-10)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_small_step_along_the_gradient_changes_the_loss_by_its_square(activation: str) -> None:
    """The chain rule through all layers, against a finite difference of the whole network."""
    _, reference, pixels = small_cnn(activation, "max")
    by_pixels, _ = reference.backward(pixels, LABEL, "cross-entropy")
    step = 1e-3 * by_pixels / np.linalg.norm(by_pixels)

    forth = reference.loss(pixels + step, LABEL, "cross-entropy")
    back = reference.loss(pixels - step, LABEL, "cross-entropy")

    np.testing.assert_allclose((forth - back) / 2e-3, np.linalg.norm(by_pixels), rtol=1e-5)


def test_the_network_that_is_trained_computes_the_same_in_single_precision(
    few_digits: Dataset,
) -> None:
    """At its own size, on a digit: only the rounding of float32 is between them."""
    import keras

    keras.utils.set_random_seed(0)
    classifier = build_classifier("cnn", few_digits.image_shape, 10, NetworkOptions())
    reference = ReferenceCnn(classifier.get_weights(), "relu", "max")
    pixels = few_digits.train.images[:][0].astype(np.float64)

    logits = classifier(pixels[np.newaxis].astype(np.float32)).numpy()[0]

    np.testing.assert_allclose(logits, reference.forward(pixels)["z"], rtol=1e-4, atol=1e-5)
