"""The networks of the literature are those of their publications."""

import functools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from saccade_models.networks import NETWORKS, NetworkOptions, build_classifier

if TYPE_CHECKING:
    import keras

NAMES = list(NETWORKS)


@pytest.fixture(autouse=True, scope="module")
def weightless() -> Iterator[None]:
    """Networks are built without filling their weights: VGG-16's alone would take ten seconds.

    Keras remembers what it has not filled, and would do it later for whoever comes next.
    """
    import keras

    with keras.StatelessScope(initialize_variables=False):
        yield
    build_as_published.cache_clear()
    keras.utils.clear_session()


@functools.cache
def build_as_published(name: str) -> "keras.Model":
    """For the images and classes of its publication."""
    network = NETWORKS[name]
    return build_classifier(
        name, network.published_input, network.published_classes, NetworkOptions()
    )


def count(variables: list["keras.Variable"]) -> int:
    """How many numbers they hold."""
    return sum(math.prod(variable.shape) for variable in variables)


@pytest.mark.parametrize("name", NAMES)
def test_the_parameters_that_are_listed_are_those_of_the_network(name: str) -> None:
    """Trained ones and moving statistics, at the publication's size."""
    assert count(build_as_published(name).weights) == NETWORKS[name].parameters


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cnn", 1_199_882),
        ("lenet5", 61_706),
        ("vgg16", 138_357_544),
        # The one that was released with the paper has as many, with a bias for each of the 7,280
        # filters in place of a scale and a shift.
        ("inception", 6_998_552 + 7_280),
        ("resnet50", 25_557_032),
        ("se-resnet50", 28_088_024),
        ("mobilenetv2", 3_504_872),
    ],
)
def test_exactly_as_many_weights_are_trained_as_in_the_reference(name: str, expected: int) -> None:
    """The mission's, the publication's, or those of the form that everybody compares with."""
    assert expected == count(build_as_published(name).trainable_variables)


@pytest.mark.parametrize(
    ("name", "millions", "tolerance"),
    [
        # Two towers; within 3 % of a figure without decimals.
        ("alexnet", 60, 1.8),
        ("vgg16", 138, 0.5),
        # The sum of the paper's table 1, whose K are 1,024.
        ("inception", 6_797.7 * 1024 / 1e6, 0.07),
        ("resnet50", 25.6, 0.05),
        ("resnet20", 0.27, 0.005),
        ("densenet40", 1.0, 0.05),
        ("se-resnet50", 28.1, 0.05),
        # The paper's table says 3.4, its authors' release 3.47.
        ("mobilenetv2", 3.5, 0.05),
    ],
)
def test_the_trained_weights_are_as_many_as_published(
    name: str, millions: float, tolerance: float
) -> None:
    """To the publication's last digit."""
    trained = count(build_as_published(name).trainable_variables) / 1e6

    assert abs(trained - millions) <= tolerance


def test_densenet121_has_the_published_weights() -> None:
    """8.06 millions; here the moving statistics are counted."""
    assert 8_062_504 == count(build_as_published("densenet121").weights)


def test_squeeze_and_excitation_costs_what_its_paper_says() -> None:
    """2 C squared / r for each of N blocks of C channels (equation 5), and the biases."""
    plain, excited = (
        count(build_as_published(name).trainable_variables) for name in ("resnet20", "se-resnet20")
    )
    blocks, reduction = 3, 16

    assert excited - plain == sum(
        blocks * (2 * channels**2 // reduction + channels // reduction + channels)
        for channels in (16, 32, 64)
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet11", 11),
        ("resnet20", 20),
        ("densenet40", 40),
        ("resnet50", 50),
        ("densenet121", 121),
        ("vgg16", 16),
    ],
)
def test_a_network_is_as_deep_as_its_name_says(name: str, expected: int) -> None:
    """Convolutions and dense layers on the longest way; those of shortcuts don't count."""
    classifier = build_as_published(name)
    kinds = [type(layer).__name__ for layer in classifier.layers]
    shortcuts = 4 if name == "resnet50" else 0

    assert expected == kinds.count("Conv2D") + kinds.count("Dense") - shortcuts


@pytest.mark.parametrize("name", NAMES)
def test_moving_statistics_follow_within_tens_of_steps(name: str) -> None:
    """With Keras' 0.99 a training of few steps would be served with those of its start."""
    classifier = build_as_published(name)

    assert {0.9} >= {layer.momentum for layer in classifier.layers if hasattr(layer, "momentum")}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_smallest_images_can_be_taken(name: str, channels: int) -> None:
    """Gray ones and coloured ones."""
    side = NETWORKS[name].smallest_side

    classifier = build_classifier(name, (side, side, channels), 7, NetworkOptions())

    assert (None, 7) == classifier.output_shape


@pytest.mark.parametrize("name", ["cnn", "lenet5", "alexnet", "vgg16"])
def test_smaller_images_leave_nothing_to_compute(name: str) -> None:
    """Where nothing is padded the smallest side is no choice: a pixel less empties a layer."""
    import keras

    side = NETWORKS[name].smallest_side - 1

    with pytest.raises(ValueError, match=r"(?i)negative|zero|shape"):
        NETWORKS[name].apply(keras.Input((side, side, 1)), 10, NetworkOptions())


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"alexnet", "vgg16"}))
def test_most_networks_take_digits(name: str) -> None:
    """28 x 28, gray."""
    classifier = build_classifier(name, (28, 28, 1), 10, NetworkOptions())

    assert (None, 10) == classifier.output_shape
