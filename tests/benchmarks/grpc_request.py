"""One unary gRPC request, encoded for both load generators, by the API that a server speaks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from saccade.v1 import classifier_pb2 as pb
from saccade_server.protocols import inference_pb

HEADERS = {"content-type": "application/grpc", "te": "trailers"}
MODEL = "model"
INPUT = "images"
OUTPUT = "scores"
"""By which a server of another make knows the only model, and its tensors."""

Scores = dict[int, float]
"""Of one image: by class index, all classes or the best ones; empty where it was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A unary method that classifies images.

    Attributes:
        path: Of the method.
        encode: Makes its request, serialized.
        decode: Reads its response, by image.
    """

    path: str
    encode: Callable[[pb.ClassifyRequest], bytes]
    decode: Callable[[bytes], list[Scores]]


def _native_bytes(message: pb.ClassifyRequest) -> bytes:
    return message.SerializeToString()


def _native_scores(response: bytes) -> list[Scores]:
    results = pb.ClassifyResponse.FromString(response).results
    return [
        {each.index: each.score for each in result.classification.classes} for result in results
    ]


def _inference_bytes(message: pb.ClassifyRequest) -> bytes:
    """The pixels of all images as one tensor of bytes: no larger than natively."""
    pixels = [image.pixels for image in message.images]
    first = pixels[0]
    tensor = inference_pb.ModelInferRequest.InferInputTensor(
        name=INPUT,
        datatype="UINT8",
        shape=[len(pixels), first.height, first.width, first.channels],
    )
    request: Any = inference_pb.ModelInferRequest(
        model_name=MODEL,
        inputs=[tensor],
        raw_input_contents=[b"".join(each.data for each in pixels)],
    )
    data: bytes = request.SerializeToString()
    return data


def _inference_scores(response: bytes) -> list[Scores]:
    answer: Any = inference_pb.ModelInferResponse.FromString(response)
    numbers = np.frombuffer(answer.raw_output_contents[0], np.float32)
    rows = numbers.reshape(answer.outputs[0].shape)
    return [dict(enumerate(row.tolist())) for row in rows]


NATIVE = Api(
    path="/saccade.v1.ImageClassifier/Classify", encode=_native_bytes, decode=_native_scores
)
INFERENCE = Api(
    path="/inference.GRPCInferenceService/ModelInfer",
    encode=_inference_bytes,
    decode=_inference_scores,
)
"""The Open Inference Protocol, with pixels as numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What every caller of a load sends, again and again.

    Attributes:
        message: Of the native API.
        images: In one request.
        api: By which it is sent.
        body: The message with gRPC's prefix: not compressed, 4 bytes of length.
    """

    message: pb.ClassifyRequest
    images: int
    api: Api = NATIVE

    @property
    def body(self) -> bytes:
        """See above."""
        data = self.api.encode(self.message)
        return b"\x00" + len(data).to_bytes(4, "big") + data

    def by(self, api: Api) -> "Request":
        """The same images by another API."""
        return replace(self, api=api)


def request_headers(address: str, path: str, deadline_s: float | None) -> list[tuple[str, str]]:
    """The headers of a request, in the order that gRPC asks for."""
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", address),
    ]
    if deadline_s is not None:
        headers.append(("grpc-timeout", f"{round(deadline_s * 1e6)}u"))
    return [*headers, *HEADERS.items()]
