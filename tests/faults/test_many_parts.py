"""Messages of a megabyte that consist of nothing but parts: refused before each is looked at."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.in_process import InProcessServer
from saccade.v1 import classifier_pb2
from saccade_server.errors import InvalidArgument
from saccade_server.protocols import inference_pb, tensorflow_pb, tensorflow_serving_pb
from saccade_server.services.call import Call

BOUND_S = 5.0
"""Of the processor's time; fifty times what the worst one takes."""

MEGABYTE = 1 << 20
INFER = "/inference.GRPCInferenceService/ModelInfer"
PREDICT = "/tensorflow.serving.PredictionService/Predict"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[InProcessServer]:
    """The handlers of all methods, around a fake engine."""
    made = InProcessServer(tmp_path)
    await made.start()
    yield made
    await made.stop()


def images() -> Any:
    """Empty images."""
    return classifier_pb2.ClassifyRequest(images=[{}] * (MEGABYTE // 2))


def infer(shape: list[int], **contents: Any) -> Any:
    """A tensor of files."""
    message = inference_pb.ModelInferRequest(model_name="tiny")
    message.inputs.add(name="images", datatype="BYTES", shape=shape, **contents)
    return message


def raw_files() -> Any:
    """Empty files, raw."""
    message = infer([1])
    message.raw_input_contents.append(bytes(MEGABYTE))
    return message


def predict(dims: int, **contents: Any) -> Any:
    """A tensor of files."""
    message = tensorflow_serving_pb.PredictRequest(model_spec={"name": "tiny"})
    tensor = message.inputs["images"]
    tensor.MergeFrom(tensorflow_pb.TensorProto(dtype=tensorflow_pb.DT_STRING, **contents))
    for _ in range(dims):
        tensor.tensor_shape.dim.add(size=1)
    return message


def inputs() -> Any:
    """Inputs of all names."""
    message = predict(1)
    for number in range(MEGABYTE // 16):
        message.inputs[str(number)].dtype = tensorflow_pb.DT_STRING
    return message


def tasks() -> Any:
    """Tasks of as many signatures."""
    message = tensorflow_serving_pb.MultiInferenceRequest()
    for number in range(MEGABYTE // 16):
        spec = {"name": "tiny", "signature_name": str(number)}
        message.tasks.add(model_spec=spec)
    return message


MESSAGES: dict[str, tuple[str, Callable[[], Any]]] = {
    "images": ("/saccade.v1.ImageClassifier/Classify", images),
    "raw files": (INFER, raw_files),
    "files": (INFER, lambda: infer([1], contents={"bytes_contents": [b""] * (MEGABYTE // 2)})),
    "sizes": (INFER, lambda: infer([1] * MEGABYTE)),
    "strings": (PREDICT, lambda: predict(1, string_val=[b""] * (MEGABYTE // 2))),
    "endless length": (PREDICT, lambda: predict(1, tensor_content=b"\xff" * MEGABYTE)),
    "dimensions": (PREDICT, lambda: predict(MEGABYTE // 4)),
    "inputs": (PREDICT, inputs),
    "tasks": ("/tensorflow.serving.PredictionService/MultiInference", tasks),
}


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_message_of_parts_is_refused(server: InProcessServer, name: str) -> None:
    """Before something is made of each: meanwhile nobody else would be answered."""
    path, make = MESSAGES[name]
    (method,) = [each for each in server.methods if each.path == path]
    message = make().SerializeToString()
    started = time.thread_time()
    with pytest.raises(InvalidArgument):
        await server.answerer.unary(method, message, Call())
    spent_s = time.thread_time() - started

    assert spent_s < BOUND_S
