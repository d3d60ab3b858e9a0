"""A session of the official client: asks a server and prints the answers as JSON.

Arguments: the server's address, the artifact's folder, a file with images.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

address, artifact, sample = sys.argv[1:]
with np.load(sample, allow_pickle=True) as loaded:
    images, files = loaded["images"], loaded["files"].tolist()
channel = grpc.insecure_channel(address)
prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
models = model_service_pb2_grpc.ModelServiceStub(channel)


def predict(values: Any, **spec: Any) -> Any:
    """The rows of Predict's answer, as TensorFlow reads them."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = spec.get("name", "digits")
    request.inputs["images"].CopyFrom(tf.make_tensor_proto(values))
    answer = prediction.Predict(request, timeout=20)
    return tf.make_ndarray(answer.outputs["probabilities"]).tolist()


def classify() -> Any:
    """The rows of Classify's answer."""
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "digits"
    for file in files:
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[file]))
        features = tf.train.Features(feature={"images": feature})
        request.input.example_list.examples.add().CopyFrom(tf.train.Example(features=features))
    answer = prediction.Classify(request, timeout=20)
    return [[each.score for each in row.classes] for row in answer.result.classifications]


def saved_model() -> Any:
    """What the SavedModel itself gives for the images."""
    run = tf.saved_model.load(artifact).signatures["serving_default"]
    return run(images=tf.constant(images.astype(np.float32)))["probabilities"].numpy().tolist()


def status() -> Any:
    """The states of the model's versions."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "digits"
    answer = models.GetModelStatus(request, timeout=20)
    return [[each.version, each.state] for each in answer.model_version_status]


def signature() -> Any:
    """The shape of the signature's input."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "digits"
    answer = prediction.GetModelMetadata(request, timeout=20)
    found = get_model_metadata_pb2.SignatureDefMap()
    answer.metadata["signature_def"].Unpack(found)
    taken = found.signature_def["serving_default"].inputs["images"]
    return [dim.size for dim in taken.tensor_shape.dim]


def refusal(ask: Callable[[], Any]) -> Any:
    """The code and the text of an error."""
    try:
        ask()
    except grpc.RpcError as error:
        return [error.code().name, error.details()]
    return None


said = {
    "saved_model": saved_model(),
    "float": predict(images.astype(np.float32)),
    "uint8": predict(images),
    "double": predict(images.astype(np.float64)),
    "int64": predict(images.astype(np.int64)),
    "half": predict(images.astype(np.float16)),
    "files": predict(files),
    "examples": classify(),
    "same": predict(np.zeros((3, *images.shape[1:]), np.float32)),
    "status": status(),
    "signature": signature(),
    "unknown model": refusal(lambda: predict(images, name="cats")),
    "text": refusal(lambda: predict(np.zeros((1, 2), np.complex64))),
}
json.dump(said, sys.stdout)
