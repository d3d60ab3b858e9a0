"""TensorFlow Serving's messages: TensorProto and tf.Example, read for a graph."""

from contextlib import AbstractContextManager, nullcontext, suppress

import numpy as np
from google.protobuf.message import DecodeError

from saccade_server.errors import SaccadeError
from saccade_server.protocols import tensorflow_pb as tf
from saccade_server.protocols import tensorflow_serving_pb as pb
from saccade_server.services.tfserving.examples import read_examples
from saccade_server.services.tfserving.tensors import read_input

from ..building import Source, build_message, written_message
from ..catalogue import Check
from ..graphs import MAX_IMAGES, check_content, small_versions

_SPECS = [version.artifact.input for version in small_versions()]
_TENSOR, _EXAMPLES, _BUILT_TENSOR, _BUILT_EXAMPLES = b"t", b"e", b"T", b"E"
"""What an input begins with: a TensorProto, an Input, or how to make one."""


def seeds() -> list[bytes]:
    """Each way to write numbers, and files."""
    content = tf.TensorProto(dtype=tf.DT_FLOAT, tensor_content=np.arange(4, dtype="<f4").tobytes())
    listed = tf.TensorProto(dtype=tf.DT_DOUBLE, double_val=[0.5, 1.5])
    halves = tf.TensorProto(dtype=tf.DT_HALF, half_val=[0x3C00] * 4)
    brains = tf.TensorProto(dtype=tf.DT_BFLOAT16, half_val=[0x3F80])
    whole = tf.TensorProto(dtype=tf.DT_INT64, int64_val=[1, 2, 3, 255])
    tensors = [content, listed, halves, brains, whole]
    for tensor in tensors:
        for size in (1, 2, 2, 1):
            tensor.tensor_shape.dim.add(size=size)
    files = tf.TensorProto(dtype=tf.DT_STRING, string_val=[b"abc", b"d"])
    packed = tf.TensorProto(dtype=tf.DT_STRING, tensor_content=b"\x03\x01abcd")
    for tensor in (files, packed):
        tensor.tensor_shape.dim.add(size=2)
    numbers, pictures = pb.Input(), pb.Input()
    feature = numbers.example_list.examples.add().features.feature
    feature["images"].float_list.value.extend([1, 2, 3, 4])
    held = pictures.example_list_with_context
    held.context.features.feature["image/encoded"].bytes_list.value.append(b"abc")
    held.examples.add()
    return [
        *(_TENSOR + tensor.SerializeToString() for tensor in (*tensors, files, packed)),
        *(_EXAMPLES + each.SerializeToString() for each in (numbers, pictures)),
        *(_BUILT_TENSOR + written_message(tensor) for tensor in (*tensors, files, packed)),
        *(_BUILT_EXAMPLES + written_message(each) for each in (numbers, pictures)),
    ]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return nullcontext(check)


def check(data: bytes) -> None:
    """A message is refused, or it is images that the graph takes."""
    kind = data[:1]
    is_input = kind in (_EXAMPLES, _BUILT_EXAMPLES)
    message = pb.Input() if is_input else tf.TensorProto()
    try:
        if kind in (_BUILT_TENSOR, _BUILT_EXAMPLES):
            build_message(message, Source(data[1:]))
        else:
            message.MergeFromString(data[1:])
    except DecodeError:
        return
    for spec in _SPECS:
        with suppress(SaccadeError):
            if is_input:
                content = read_examples(message, spec, MAX_IMAGES)
            else:
                content = read_input(message, spec.name, spec, MAX_IMAGES)
            check_content(content, spec)
