"""One request by either API: the same pixels, and answers that can be compared."""

from typing import Any

import numpy as np
import pytest

from benchmarks.grpc_request import INFERENCE, INPUT, MODEL, NATIVE, Request
from saccade.v1 import classifier_pb2 as pb
from saccade_server.protocols import inference_pb

IMAGES = [bytes(range(12)), bytes(range(100, 112))]


@pytest.fixture
def request_of_two() -> Request:
    """Two images of 2 x 3 pixels in two channels."""
    tensors = [pb.PixelTensor(height=2, width=3, channels=2, data=data) for data in IMAGES]
    message = pb.ClassifyRequest(images=[pb.Image(pixels=each) for each in tensors])
    return Request(message=message, images=2)


def test_a_body_is_the_message_behind_its_length(request_of_two: Request) -> None:
    """As gRPC frames it, not compressed."""
    body = request_of_two.body

    assert (0, len(body) - 5) == (body[0], int.from_bytes(body[1:5], "big"))
    assert request_of_two.message == pb.ClassifyRequest.FromString(body[5:])


def test_by_the_open_inference_protocol_all_images_are_one_tensor(request_of_two: Request) -> None:
    """The same bytes, with the shape of the batch."""
    sent: Any = inference_pb.ModelInferRequest.FromString(request_of_two.by(INFERENCE).body[5:])

    assert (MODEL, [b"".join(IMAGES)]) == (sent.model_name, list(sent.raw_input_contents))
    (tensor,) = sent.inputs
    assert (INPUT, "UINT8", [2, 2, 3, 2]) == (tensor.name, tensor.datatype, list(tensor.shape))


def test_native_scores_are_those_of_the_classes_that_were_asked_for() -> None:
    """By index, whatever their order; an image that was refused has none."""
    classes = [pb.ScoredClass(index=7, score=0.75), pb.ScoredClass(index=2, score=0.25)]
    good = pb.ImageResult(classification=pb.Classification(classes=classes))
    response = pb.ClassifyResponse(results=[good, pb.ImageResult()])

    assert [{7: 0.75, 2: 0.25}, {}] == NATIVE.decode(response.SerializeToString())


def test_scores_by_the_open_inference_protocol_are_those_of_all_classes() -> None:
    """From raw numbers, a row an image."""
    rows = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], np.float32)
    tensor = inference_pb.ModelInferResponse.InferOutputTensor(shape=[2, 3])
    response: Any = inference_pb.ModelInferResponse(
        outputs=[tensor], raw_output_contents=[rows.tobytes()]
    )

    assert [{0: 0.5, 1: 0.25, 2: 0.25}, {0: 0.0, 1: 1.0, 2: 0.0}] == INFERENCE.decode(
        response.SerializeToString()
    )
