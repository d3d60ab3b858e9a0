import numpy as np
import pytest
from numpy.typing import NDArray

from saccade_models.errors import ConfigError
from saccade_models.networks import (
    ACTIVATIONS,
    NETWORKS,
    POOLINGS,
    NetworkOptions,
    build_classifier,
)

SHAPE = (28, 28, 1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_cnn_has_1199882_weights(activation: str, pooling: str) -> None:
    """Neither the activation nor the pooling has any weights."""
    options = NetworkOptions(activation=activation, pooling=pooling)

    assert 1_199_882 == build_classifier("cnn", SHAPE, 10, options).count_params()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_hidden_layers_have_the_chosen_activation(activation: str) -> None:
    """Both convolutions and the dense layer have it; the logits have none."""
    classifier = build_classifier("cnn", SHAPE, 10, NetworkOptions(activation=activation))

    assert [activation] * 3 + ["linear"] == [
        layer.activation.__name__ for layer in classifier.layers if hasattr(layer, "activation")
    ]


@pytest.mark.parametrize(
    ("pooling", "expected"), [("max", "MaxPooling2D"), ("mean", "AveragePooling2D")]
)
def test_the_pooling_is_the_chosen_one(pooling: str, expected: str) -> None:
    """There is one pooling layer, of that kind."""
    classifier = build_classifier("cnn", SHAPE, 10, NetworkOptions(pooling=pooling))

    assert [expected] == [
        type(layer).__name__ for layer in classifier.layers if "Pooling" in type(layer).__name__
    ]


def test_a_classifier_gives_logits(noise: NDArray[np.float32]) -> None:
    """Rows don't sum to 1 and have negative values: there is no softmax in the network."""
    logits = build_classifier("cnn", SHAPE, 10, NetworkOptions())(noise).numpy()

    assert (logits < 0).any()


def test_a_classifier_scales_pixels_itself(noise: NDArray[np.float32]) -> None:
    """What reaches the first convolution of pixels 0 to 255 is between 0 and 1."""
    classifier = build_classifier("cnn", SHAPE, 10, NetworkOptions())

    scaled = classifier.get_layer("scale")(noise).numpy()

    np.testing.assert_allclose(scaled, noise / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"activation": "step"}, "activation must be one of relu, tanh, sigmoid, got 'step'"),
        ({"pooling": "median"}, "pooling must be one of max, mean, got 'median'"),
    ],
)
def test_an_unknown_option_is_refused(arguments: dict[str, str], expected: str) -> None:
    """The text names the choices."""
    with pytest.raises(ConfigError) as caught:
        NetworkOptions(**arguments)

    assert expected == str(caught.value)


def test_an_unknown_network_is_refused() -> None:
    """The text names those that there are."""
    with pytest.raises(ConfigError) as caught:
        build_classifier("perceptron", SHAPE, 10, NetworkOptions())

    assert f"network must be one of {', '.join(NETWORKS)}, got 'perceptron'" == str(caught.value)


def refusal(name: str, shape: tuple[int, int, int], options: NetworkOptions) -> str:
    """What somebody is told who wants that."""
    with pytest.raises(ConfigError) as caught:
        build_classifier(name, shape, 10, options)
    return str(caught.value)


def test_too_small_images_are_refused_with_the_networks_that_take_them() -> None:
    """What is missing, and what would do."""
    assert (
        "network alexnet takes images of at least 67 x 67 pixels and 1 or 3 channels, "
        "got 40 x 200 x 3; these can: "
        + ", ".join(name for name in NETWORKS if name != "alexnet")
        == refusal("alexnet", (40, 200, 3), NetworkOptions())
    )


def test_images_that_no_network_takes_are_refused() -> None:
    """A pixel is no picture."""
    assert refusal("resnet20", (1, 1, 3), NetworkOptions()).endswith("; no network can")


def test_images_of_two_channels_are_refused() -> None:
    """They are neither gray nor coloured."""
    assert "1 or 3 channels, got 28 x 28 x 2" in refusal("cnn", (28, 28, 2), NetworkOptions())


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "cnn"])
@pytest.mark.parametrize("option", ["activation", "pooling"])
def test_an_option_that_a_network_does_not_have_is_refused(name: str, option: str) -> None:
    """It would not do what was asked for, even if the value is what the network has anyway."""
    value = {"activation": "tanh", "pooling": "mean"}[option]

    assert f"network {name} has its own {option}: {option} {value} is for other networks" == (
        refusal(name, (227, 227, 3), NetworkOptions(**{option: value}))
    )


def test_the_cnn_has_relu_and_takes_the_largest_by_default() -> None:
    """What somebody gets who chooses nothing."""
    assert NetworkOptions(activation="relu", pooling="max") == NETWORKS["cnn"].settle(
        NetworkOptions()
    )


def test_lenet5_is_smooth_and_averages() -> None:
    """As in its publication, unlike the others."""
    layers = build_classifier("lenet5", SHAPE, 10, NetworkOptions()).layers
    kinds = [type(layer).__name__ for layer in layers]

    assert (["tanh"] * 4 + ["linear"], 2, 0) == (
        [layer.activation.__name__ for layer in layers if hasattr(layer, "activation")],
        kinds.count("AveragePooling2D"),
        kinds.count("MaxPooling2D"),
    )


def test_alexnet_divides_by_what_five_adjacent_channels_hold() -> None:
    """The paper's formula, written out: x / (2 + 1e-4 sum of squares) to the power of 0.75."""
    import keras

    from saccade_models.networks.alexnet import normalize_responses

    values = np.random.default_rng(0).normal(0, 100, (1, 1, 1, 9)).astype(np.float32)
    around = [values[0, 0, 0, max(0, i - 2) : i + 3] for i in range(9)]
    images = keras.Input((1, 1, 9))

    actual = keras.Model(images, normalize_responses(images))(values).numpy()

    expected = values[0, 0, 0] / np.array([(2 + 1e-4 * (a**2).sum()) ** 0.75 for a in around])
    np.testing.assert_allclose(actual[0, 0, 0], expected, rtol=1e-5)


def test_a_shortcut_without_weights_halves_the_sides_and_doubles_the_channels() -> None:
    """Every second pixel, between channels of zeros."""
    import keras

    from saccade_models.networks.resnet import halve

    values = np.arange(5 * 5 * 2, dtype=np.float32).reshape(1, 5, 5, 2)
    images = keras.Input((5, 5, 2))

    actual = keras.Model(images, halve(images))(values).numpy()

    np.testing.assert_array_equal(
        actual, np.pad(values[:, ::2, ::2], [(0, 0), (0, 0), (0, 0), (1, 1)])
    )


def test_an_image_is_judged_without_regard_to_its_neighbours(noise: NDArray[np.float32]) -> None:
    """Batch normalisation looks at the batch in training only."""
    classifier = build_classifier("resnet20", SHAPE, 10, NetworkOptions())

    alone = classifier(noise[:1], training=False).numpy()
    together = classifier(noise, training=False).numpy()

    np.testing.assert_allclose(alone, together[:1], rtol=1e-4, atol=1e-3)
