"""The served graph: a trained network as a SavedModel that any TensorFlow reader opens."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

SIGNATURE = "serving_default"
INPUT = "images"
OUTPUT = "probabilities"


def write_graph(classifier: "keras.Model", folder: Path, temperature: float = 1.0) -> None:
    """Writes the SavedModel: float32 pixels 0 to 255 (N, H, W, C) in, probabilities (N, K) out.

    N is free. The softmax is put on here; the classifier gives logits. The weights are written
    once and the optimizer not at all, which is why this is a plain module: an export archive of
    Keras holds every weight twice.

    Args:
        classifier: maps pixels to logits.
        folder: is there and empty.
        temperature: divides the logits, above 0: what is served is softmax(logits / temperature).

    Raises:
        OSError: The folder can't be written.
    """
    import keras
    import tensorflow as tf

    def serve(images: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        logits = classifier(images, training=False)
        scaled = logits if temperature == 1 else logits / temperature
        return {OUTPUT: keras.ops.softmax(scaled)}

    module = tf.Module()
    # What the function reads must hang on the module, or it would not be written.
    module.weights = [variable.value for variable in classifier.variables]
    signature = tf.TensorSpec(classifier.input_shape, tf.float32, name=INPUT)
    function = tf.function(serve, input_signature=[signature])
    try:
        tf.saved_model.save(module, str(folder), signatures={SIGNATURE: function})
    except tf.errors.OpError as error:
        raise OSError(f"cannot write the SavedModel: {error.message}") from error
