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
