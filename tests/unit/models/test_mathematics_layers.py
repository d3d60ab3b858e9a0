"""Keras computes what models/README.md says: its layers and losses against plain NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from saccade_models.losses import LOSSES, build_loss
from saccade_models.networks import ACTIVATIONS, POOLINGS
from saccade_models.training.schedule import Schedule
from unit.models import reference_layers as reference
from unit.models.reference_layers import Array

# Odd and even sides, so that pooling leaves a row out and `same` pads one side more.
SHAPE = (7, 6, 3)
FILTERS = 4

pytestmark = pytest.mark.usefixtures("double_precision")


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def assert_same(actual: Any, expected: Array | float) -> None:
    """Only the order of float64 sums may be between them."""
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def run(layer: Any, image: Array) -> Array:
    """What the layer makes of one image."""
    output: Array = layer(image[np.newaxis]).numpy()[0]
    return output


def gradients_by_input(layer: Any, image: Array, upstream: Array) -> list[Array]:
    """The gradients by the image and by the layer's weights, as TensorFlow computes them."""
    import tensorflow as tf

    x = tf.constant(image[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    by_x, *by_weights = tape.gradient(
        y, [x, *(weight.value for weight in layer.weights)], output_gradients=upstream[np.newaxis]
    )
    return [by_x.numpy()[0], *(gradient.numpy() for gradient in by_weights)]


def finite_differences(function: Callable[[Array], float], at: Array) -> Array:
    """The gradient of a function with one value: both neighbours of each coordinate are tried."""
    step = 1e-6
    gradient = np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        forth, back = at.copy(), at.copy()
        forth[index] += step
        back[index] -= step
        gradient[index] = (function(forth) - function(back)) / (2 * step)
    return gradient


def conv_layer(w: Array, b: Array, stride: int, padding: str) -> Any:
    from keras import layers

    layer = layers.Conv2D(FILTERS, len(w), strides=stride, padding=padding)
    layer.build((None, *SHAPE))
    layer.set_weights([w, b])
    return layer


def pooling_layer(kind: str) -> Any:
    from keras import layers

    return {"max": layers.MaxPooling2D, "mean": layers.AveragePooling2D}[kind](2)


@pytest.mark.parametrize("kernel", [3, 4])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_is_the_sum_over_each_window(
    random: np.random.Generator, kernel: int, padding: str, stride: int
) -> None:
    """Forward and all three gradients; the kernel is not mirrored."""
    x = random.normal(size=SHAPE)
    w, b = random.normal(size=(kernel, kernel, SHAPE[2], FILTERS)), random.normal(size=FILTERS)
    layer = conv_layer(w, b, stride, padding)

    y = reference.convolve(x, w, b, stride, padding)
    upstream = random.normal(size=y.shape)
    back = reference.convolve_back(x, w, upstream, stride, padding)

    assert_same(run(layer, x), y)
    for ours, theirs in zip(back, gradients_by_input(layer, x, upstream), strict=True):
        assert_same(theirs, ours)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_gradients_of_a_convolution_are_its_slopes(
    random: np.random.Generator, padding: str, stride: int
) -> None:
    """The formulas against finite differences, without Keras."""
    x, w, b = random.normal(size=(5, 4, 2)), random.normal(size=(3, 3, 2, 2)), np.zeros(2)
    upstream = random.normal(size=reference.convolve(x, w, b, stride, padding).shape)

    def loss(x: Array, w: Array, b: Array) -> float:
        return float(np.sum(upstream * reference.convolve(x, w, b, stride, padding)))

    by_x, by_w, by_b = reference.convolve_back(x, w, upstream, stride, padding)

    np.testing.assert_allclose(finite_differences(lambda x: loss(x, w, b), x), by_x, atol=1e-7)
    np.testing.assert_allclose(finite_differences(lambda w: loss(x, w, b), w), by_w, atol=1e-7)
    np.testing.assert_allclose(finite_differences(lambda b: loss(x, w, b), b), by_b, atol=1e-7)


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding", "expected"),
    [
        (28, 3, 1, "valid", 26),
        (26, 3, 1, "valid", 24),
        (28, 3, 1, "same", 28),
        (28, 3, 2, "valid", 13),
        (28, 3, 2, "same", 14),
        (28, 2, 2, "valid", 14),
    ],
)
def test_the_side_of_the_output_follows_from_padding_and_stride(
    side: int, kernel: int, stride: int, padding: str, expected: int
) -> None:
    """floor((H + zeros - k) / s) + 1, which is ceil(H / s) for `same`; Keras has the same."""
    from keras import ops

    zeros = sum(reference.margins(side, kernel, stride, padding))
    theirs = ops.conv(
        np.zeros((1, side, side, 1)), np.zeros((kernel, kernel, 1, 1)), stride, padding
    )

    assert expected == (side + zeros - kernel) // stride + 1
    assert expected == theirs.shape[1]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_and_its_slope_are_those_of_the_formula(
    random: np.random.Generator, name: str
) -> None:
    """The slope, written by the output, is Keras's gradient and the finite difference."""
    from keras import layers

    z, upstream = random.normal(scale=2, size=SHAPE), random.normal(size=SHAPE)
    activate = reference.ACTIVATE[name]
    a = activate(z)
    back = upstream * reference.SLOPE[name](a)

    layer = layers.Activation(name)

    assert_same(run(layer, z), a)
    assert_same(gradients_by_input(layer, z, upstream)[0], back)
    slopes = finite_differences(lambda z: float(np.sum(upstream * activate(z))), z)
    np.testing.assert_allclose(slopes, back, atol=1e-7)


def test_the_slope_of_relu_at_0_is_0() -> None:
    """There is no derivative; Keras takes 0, as we do."""
    from keras import layers

    zeros = np.zeros(SHAPE)

    assert not gradients_by_input(layers.Activation("relu"), zeros, np.ones(SHAPE))[0].any()
    assert not reference.SLOPE["relu"](zeros).any()


@pytest.mark.parametrize("kind", POOLINGS)
def test_pooling_takes_the_maximum_or_the_mean_of_each_block(
    random: np.random.Generator, kind: str
) -> None:
    """The last row of an odd height is in no block: it has no influence and no gradient."""
    x = random.normal(size=SHAPE)
    y = reference.pool(x, kind)
    upstream = random.normal(size=y.shape)
    back = reference.pool_back(x, kind, upstream)

    layer = pooling_layer(kind)

    assert_same(run(layer, x), y)
    assert_same(gradients_by_input(layer, x, upstream)[0], back)
    slopes = finite_differences(lambda x: float(np.sum(upstream * reference.pool(x, kind))), x)
    np.testing.assert_allclose(slopes, back, atol=1e-7)
    assert not back[-1].any()


def test_flattening_counts_channels_first_then_columns_then_rows(
    random: np.random.Generator,
) -> None:
    """Number (i W + j) C + c is x[i,j,c]."""
    from keras import layers

    x = random.normal(size=SHAPE)
    _, width, channels = SHAPE

    flat = run(layers.Flatten(), x)

    np.testing.assert_array_equal(reference.flatten(x), flat)
    for i, j, c in np.ndindex(*SHAPE):
        assert x[i, j, c] == flat[(i * width + j) * channels + c]


def test_a_dense_layer_is_a_weighted_sum_for_each_output(random: np.random.Generator) -> None:
    """Forward and all three gradients, against Keras and finite differences."""
    from keras import layers

    x, w = random.normal(size=5), random.normal(size=(5, 4))
    b, upstream = random.normal(size=4), random.normal(size=4)
    layer = layers.Dense(4)
    layer.build((None, 5))
    layer.set_weights([w, b])
    back = reference.connect_back(x, w, upstream)

    assert_same(run(layer, x), reference.connect(x, w, b))
    for ours, theirs in zip(back, gradients_by_input(layer, x, upstream), strict=True):
        assert_same(theirs, ours)
    slopes = finite_differences(lambda w: float(upstream @ reference.connect(x, w, b)), w)
    np.testing.assert_allclose(slopes, back[1], atol=1e-7)


def test_softmax_is_unmoved_by_what_is_added_to_all_logits(random: np.random.Generator) -> None:
    """So the largest may be taken off first, which keeps exp in range; Keras agrees."""
    from keras import ops

    z = random.normal(scale=3, size=10)
    p = reference.softmax(z)

    assert_same(np.exp(z) / np.exp(z).sum(), p)
    np.testing.assert_allclose(reference.softmax(z + 1000), p, rtol=1e-9)
    assert_same(ops.softmax(z[np.newaxis]).numpy()[0], p)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("smoothing", [0, 0.1])
def test_a_loss_and_its_gradient_by_the_logits_are_those_of_the_formula(
    random: np.random.Generator, name: str, smoothing: float
) -> None:
    """Softmax and cross-entropy together give p - t; mse p (r - r.p), r = 2 (p - t) / K."""
    import tensorflow as tf

    z, label = random.normal(scale=2, size=10), 3
    truth = reference.truth(label, 10, smoothing)
    back = reference.loss_back(name, z, truth)
    logits = tf.constant(z[np.newaxis])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = build_loss(name, label_smoothing=smoothing)(tf.constant([label]), logits)

    assert_same(loss.numpy()[0], reference.LOSS[name](z, truth))
    assert_same(tape.gradient(loss, logits).numpy()[0], back)
    slopes = finite_differences(lambda z: reference.LOSS[name](z, truth), z)
    np.testing.assert_allclose(slopes, back, atol=1e-8)
    assert abs(back.sum()) < 1e-12


def test_a_sure_mistake_still_has_a_gradient_by_cross_entropy_but_hardly_by_mse() -> None:
    """With p of the right class near 0, p - t stays near -1, and mse's is about p itself."""
    z, truth = np.array([12.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])

    assert reference.loss_back("cross-entropy", z, truth)[1] < -0.99
    assert abs(reference.loss_back("mse", z, truth)[1]) < 1e-4


@pytest.mark.parametrize(
    ("name", "settings", "steps"),
    [
        ("SGD", {}, reference.descend),
        ("SGD", {"momentum": 0.9, "nesterov": True}, reference.descend_with_momentum),
        ("Adam", {}, reference.adam),
    ],
)
def test_an_optimizer_steps_as_the_formula_says(
    random: np.random.Generator,
    name: str,
    settings: dict[str, Any],
    steps: Callable[[Array, list[Array], float], Array],
) -> None:
    """Three gradients one after the other, so that what an optimizer remembers counts."""
    import keras

    theta, gradients = random.normal(size=5), list(random.normal(size=(3, 5)))
    variable = keras.Variable(theta)
    optimizer = getattr(keras.optimizers, name)(0.01, **settings)
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])

    # Keras holds 1 - 0.999^t in float32, which leaves five digits of it.
    np.testing.assert_allclose(
        variable.numpy() - theta, steps(theta, gradients, 0.01) - theta, rtol=1e-4
    )


def test_the_learning_rate_rises_in_a_line_and_falls_along_half_a_cosine() -> None:
    """Peak (t + 1) / w before step w, then peak (1 + cos(pi (t - w) / (T - w))) / 2."""
    schedule = Schedule(kind="cosine", peak=0.002, warmup_steps=20, steps=100)

    rising = [0.002 * (t + 1) / 20 for t in range(20)]
    falling = [0.002 * (1 + np.cos(np.pi * (t - 20) / 80)) / 2 for t in range(20, 101)]
    np.testing.assert_allclose([schedule.rate(t) for t in range(101)], rising + falling, atol=1e-15)
