"""What a manifest says of a signature, as TensorFlow writes it."""

from typing import Any

from saccade_server.artifact import Artifact
from saccade_server.protocols import tensorflow_pb as tf
from saccade_server.protocols import tensorflow_serving_pb as pb
from saccade_server.services.tfserving.tensors import data_type

PREDICT = "tensorflow/serving/predict"
CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"


def describe_signatures(artifact: Artifact) -> Any:
    """A SignatureDefMap of the one signature that is served."""
    signatures = pb.SignatureDefMap()
    signature = signatures.signature_def[artifact.input.signature]
    signature.method_name = PREDICT
    taken = signature.inputs[artifact.input.name]
    _describe(taken, artifact.input.name, data_type(artifact.input), artifact.input.shape)
    given = signature.outputs[artifact.output.name]
    _describe(given, artifact.output.name, tf.DT_FLOAT, (len(artifact.class_labels),))
    return signatures


def _describe(info: Any, name: str, dtype: int, shape: tuple[int, ...]) -> None:
    # The graph's own name of the tensor is in the graph only; nobody can use it from outside.
    info.name = f"{name}:0"
    info.dtype = dtype
    for size in (-1, *shape):
        info.tensor_shape.dim.add(size=size)
