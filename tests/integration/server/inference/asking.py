"""Requests of the Open Inference Protocol to the model `tiny`: one gray pixel, FP32."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import grpc.aio
import numpy as np

from saccade_server.protocols import inference_pb as pb
from saccade_server.services.inference.tensors import DTYPES, join_elements

SERVICE = "inference.GRPCInferenceService"

FIELDS = {
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "BYTES": "bytes_contents",
}

Ask = Callable[..., Coroutine[Any, Any, Any]]


def numbers(
    *marks: float, datatype: str = "FP32", raw: bool = True, shape: Sequence[int] | None = None
) -> Any:
    """A request of one number for each image."""
    request = pb.ModelInferRequest(model_name="tiny")
    shape = (len(marks), 1, 1, 1) if shape is None else shape
    tensor = request.inputs.add(name="images", datatype=datatype, shape=shape)
    if raw:
        request.raw_input_contents.append(np.array(marks, DTYPES[datatype]).tobytes())
    else:
        whole = datatype.startswith(("INT", "UINT"))
        values = map(int, marks) if whole else marks
        getattr(tensor.contents, FIELDS[datatype]).extend(values)
    return request


def files(*contents: bytes, raw: bool = True, shape: Sequence[int] | None = None) -> Any:
    """A request of image files."""
    request = pb.ModelInferRequest(model_name="tiny")
    shape = (len(contents),) if shape is None else shape
    tensor = request.inputs.add(name="images", datatype="BYTES", shape=shape)
    if raw:
        request.raw_input_contents.append(join_elements(contents))
    else:
        tensor.contents.bytes_contents.extend(contents)
    return request


def asker(channel: grpc.aio.Channel) -> Ask:
    """Calls a unary method with the request that belongs to it, or with one made of fields."""

    async def ask(method: str, request: Any = None, /, **fields: Any) -> Any:
        call: Any = channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(pb, f"{method}Response").FromString,
        )
        return await call(request or getattr(pb, f"{method}Request")(**fields), timeout=20)

    return ask


def scores(response: Any) -> list[list[float]]:
    """The rows of an answer's only output, rounded to what a pixel can tell."""
    (output,) = response.outputs
    if response.raw_output_contents:
        flat = np.frombuffer(response.raw_output_contents[0], "<f4")
    else:
        flat = np.array(output.contents.fp32_contents, np.float32)
    rows: list[list[float]] = flat.reshape(tuple(output.shape)).astype(float).round(4).tolist()
    return rows
