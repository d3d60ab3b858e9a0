"""Requests of TensorFlow Serving's API to the model `tiny`: one gray pixel, float."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest

from saccade_server.protocols import tensorflow_pb as tf
from saccade_server.protocols import tensorflow_serving_pb as pb

PREDICTION = "tensorflow.serving.PredictionService"
MODEL = "tensorflow.serving.ModelService"

METHODS = {
    "Predict": (PREDICTION, pb.PredictRequest, pb.PredictResponse),
    "Classify": (PREDICTION, pb.ClassificationRequest, pb.ClassificationResponse),
    "Regress": (PREDICTION, pb.RegressionRequest, pb.RegressionResponse),
    "MultiInference": (PREDICTION, pb.MultiInferenceRequest, pb.MultiInferenceResponse),
    "GetModelMetadata": (PREDICTION, pb.GetModelMetadataRequest, pb.GetModelMetadataResponse),
    "GetModelStatus": (MODEL, pb.GetModelStatusRequest, pb.GetModelStatusResponse),
    "HandleReloadConfigRequest": (MODEL, pb.ReloadConfigRequest, pb.ReloadConfigResponse),
}

Ask = Callable[..., Awaitable[Any]]


def asker(channel: grpc.aio.Channel) -> Ask:
    """Calls a method: (name, request)."""

    async def ask(method: str, request: Any) -> Any:
        service, _, response = METHODS[method]
        call: Any = channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )
        return await call(request, timeout=20)

    return ask


async def refusal(ask: Ask, method: str, request: Any) -> tuple[str, str]:
    """The code and the text with which a call is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ask(method, request)
    return refused.value.code().name, refused.value.details() or ""


def tensor(dtype: str, shape: Sequence[int], **fields: Any) -> Any:
    """A TensorProto, with its elements in one of its fields."""
    made = tf.TensorProto(dtype=tf.DataType.Value(dtype), **fields)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    return made


def pixels(*marks: float) -> Any:
    """A tensor of one gray pixel for each image."""
    return tensor("DT_FLOAT", (len(marks), 1, 1, 1), float_val=marks)


def predict(tensor: Any = None, /, name: str = "images", **spec: Any) -> Any:
    """A PredictRequest of one input; fields of its model_spec by name."""
    request = pb.PredictRequest(model_spec={"name": "tiny", **spec})
    request.inputs[name].CopyFrom(pixels(255) if tensor is None else tensor)
    return request


def examples(*features: dict[str, Any], name: str = "images") -> Any:
    """An Input message: each example's feature, such as {"float_list": {"value": [255]}}."""
    made = pb.Input()
    for feature in features:
        target = made.example_list.examples.add().features.feature[name]
        target.CopyFrom(tf.Feature(**feature))
    return made


def scores(response: Any) -> list[list[float]]:
    """The rows of Predict's only output, rounded to what a pixel can tell."""
    (output,) = response.outputs.values()
    shape = [dim.size for dim in output.tensor_shape.dim]
    rows: list[list[float]] = np.array(output.float_val, float).reshape(shape).round(4).tolist()
    return rows
