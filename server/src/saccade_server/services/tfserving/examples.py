"""Images in tf.Example: a feature of the input's name, with one image file or all values."""

from typing import Any

import numpy as np

from saccade_server.artifact import InputSpec
from saccade_server.errors import InvalidArgument
from saccade_server.services.tfserving.tensors import Values

ENCODED = "image/encoded"
"""The feature that TensorFlow's own image data sets keep files in; taken too."""


def read_examples(message: Any, spec: InputSpec, max_images: int) -> list[bytes] | Values:
    """Takes images out of an Input message.

    Args:
        message: Its examples have all files, or all numbers.
        spec: What the graph takes.
        max_images: At most.

    Returns:
        The bytes of n files, or values for the graph, shape (n, H, W, C).

    Raises:
        InvalidArgument: There is no example, or one has no such feature, or not its values.
    """
    kind = message.WhichOneof("kind")
    held = getattr(message, kind) if kind else None
    if held is None or not held.examples:
        raise InvalidArgument("Input is empty.")
    if len(held.examples) > max_images:
        raise InvalidArgument(
            f"the request has {len(held.examples)} images: send 1 to {max_images}"
        )
    context = held.context.features.feature if kind == "example_list_with_context" else {}
    features = [_feature(each.features.feature, context, spec) for each in held.examples]
    if all(each.WhichOneof("kind") == "bytes_list" for each in features):
        return [_only_file(each, spec) for each in features]
    return np.stack([_values(each, spec) for each in features])


def _feature(own: Any, shared: Any, spec: InputSpec) -> Any:
    for features in (own, shared):
        for name in (spec.name, ENCODED):
            if name in features:
                return features[name]
    raise InvalidArgument(
        f"Feature: {spec.name} (data type: {spec.dtype.name}) is required but could not be found."
    )


def _only_file(feature: Any, spec: InputSpec) -> bytes:
    files: list[bytes] = list(feature.bytes_list.value)
    if len(files) != 1:
        raise InvalidArgument(f"Feature: {spec.name} has {len(files)} values: send one image file")
    return files[0]


def _values(feature: Any, spec: InputSpec) -> Values:
    floats = feature.WhichOneof("kind") == "float_list"
    elements = (feature.float_list if floats else feature.int64_list).value
    wanted = int(np.prod(spec.shape))
    if len(elements) != wanted:
        raise InvalidArgument(f"Feature: {spec.name} has {len(elements)} values, not {wanted}")
    numbers = np.fromiter(elements, np.float32 if floats else np.int64, wanted)
    with np.errstate(invalid="ignore"):  # What does not fit differs below.
        values: Values = numbers.astype(np.uint8 if spec.dtype == np.uint8 else np.float32)
    # Whole numbers are pixels, and a graph that wants them scaled would answer, and be wrong.
    guessed = not floats and not spec.takes_pixels
    if guessed or not np.isfinite(numbers).all() or not np.array_equal(values, numbers):
        raise InvalidArgument(f"Feature: {spec.name} has values that the model does not take")
    return values.reshape(spec.shape)
