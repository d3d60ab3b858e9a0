import keras

from saccade_models.networks import NetworkOptions, build_classifier
from saccade_models.training.precision import compute_in


def test_networks_built_meanwhile_compute_in_the_precision_with_weights_in_float32() -> None:
    """Those built afterwards don't."""
    with compute_in("bfloat16"):
        short = build_classifier("lenet5", (28, 28, 1), 10, NetworkOptions())
    long = build_classifier("lenet5", (28, 28, 1), 10, NetworkOptions())

    dense = [network.get_layer("logits") for network in (short, long)]
    assert ["bfloat16", "float32"] == [layer.compute_dtype for layer in dense]
    assert ["float32", "float32"] == [layer.variable_dtype for layer in dense]


def test_the_former_precision_comes_back_after_an_error() -> None:
    """It is a setting of the whole process."""
    before = keras.config.dtype_policy()

    try:
        with compute_in("bfloat16"):
            raise ValueError
    except ValueError:
        pass

    assert before == keras.config.dtype_policy()
