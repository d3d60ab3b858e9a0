from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from saccade_models.graph import write_graph
from saccade_models.networks import NetworkOptions, build_classifier

if TYPE_CHECKING:
    import keras

WEIGHTS = 1_199_882


@pytest.fixture(scope="module")
def classifier() -> "keras.Model":
    """A network with random weights."""
    return build_classifier("cnn", (28, 28, 1), 10, NetworkOptions())


@pytest.fixture(scope="module")
def folder(classifier: "keras.Model", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its SavedModel."""
    folder = tmp_path_factory.mktemp("graph")
    write_graph(classifier, folder)
    return folder


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Any:
    """The SavedModel as TensorFlow reads it."""
    import tensorflow as tf

    return tf.saved_model.load(str(folder))


def run(loaded: Any, images: NDArray[np.float32]) -> NDArray[np.float32]:
    import tensorflow as tf

    outputs = loaded.signatures["serving_default"](images=tf.constant(images))
    probabilities: NDArray[np.float32] = outputs["probabilities"].numpy()
    return probabilities


def test_the_signature_takes_any_number_of_float_images(loaded: Any) -> None:
    """One argument and one output, with a free batch dimension."""
    signature = loaded.signatures["serving_default"]
    specs = {**signature.structured_input_signature[1], **signature.structured_outputs}

    assert {
        "images": ([None, 28, 28, 1], "float32"),
        "probabilities": ([None, 10], "float32"),
    } == {name: (spec.shape.as_list(), spec.dtype.name) for name, spec in specs.items()}


@pytest.mark.parametrize("count", [1, 3])
def test_each_row_sums_to_1(loaded: Any, noise: NDArray[np.float32], count: int) -> None:
    """The graph ends in a softmax, whatever the batch."""
    np.testing.assert_allclose(run(loaded, noise[:count]).sum(axis=1), np.ones(count), atol=1e-6)


def test_the_graph_is_the_softmax_of_the_classifier(
    loaded: Any, classifier: "keras.Model", noise: NDArray[np.float32]
) -> None:
    """There is one softmax: two would flatten the probabilities."""
    logits = classifier(noise).numpy().astype(np.float64)
    powers = np.exp(logits)

    np.testing.assert_allclose(
        run(loaded, noise), powers / powers.sum(axis=1, keepdims=True), atol=1e-6
    )


def test_a_temperature_divides_the_logits(
    classifier: "keras.Model", noise: NDArray[np.float32], tmp_path: Path
) -> None:
    """What is served is softmax(logits / T)."""
    import tensorflow as tf

    write_graph(classifier, tmp_path, 2.5)
    logits = classifier(noise).numpy().astype(np.float64)
    powers = np.exp(logits / 2.5)

    np.testing.assert_allclose(
        run(tf.saved_model.load(str(tmp_path)), noise),
        powers / powers.sum(axis=1, keepdims=True),
        atol=1e-6,
    )


def test_each_weight_is_written_once_and_nothing_else(folder: Path) -> None:
    """No state of an optimizer and no second copy."""
    import tensorflow as tf

    variables = tf.train.list_variables(str(folder / "variables" / "variables"))

    assert WEIGHTS == sum(int(np.prod(shape)) for _, shape in variables if shape)


def test_a_folder_that_cannot_be_written_is_an_os_error(
    classifier: "keras.Model", tmp_path: Path
) -> None:
    """TensorFlow's own error does not reach the caller."""
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="cannot write the SavedModel"):
        write_graph(classifier, tmp_path / "file" / "1")
