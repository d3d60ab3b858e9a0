"""Tensors in the JSON of the protocol's HTTP form, made from and into the raw form of gRPC.

So there is one way to the graph: what JSON says becomes a ModelInferRequest, and a
ModelInferResponse becomes JSON. A body may carry tensors as bytes behind its JSON (the binary
tensor extension).
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from saccade_server.errors import InvalidArgument
from saccade_server.http.json_text import has_text, read_json
from saccade_server.protocols import inference_pb as pb
from saccade_server.services.inference.tensors import (
    BYTES,
    DTYPES,
    join_elements,
    split_elements,
)


def read_infer_request(body: bytes, json_bytes: int | None) -> tuple[Any, bool]:
    """A ModelInferRequest without the model's name, and whether outputs are wanted as bytes.

    Args:
        body: JSON, and behind it the tensors that it says are bytes, in order.
        json_bytes: How much of the body is JSON; None: all.

    Raises:
        InvalidArgument: It is not what the protocol says.
    """
    if json_bytes is not None and not 0 <= json_bytes <= len(body):
        raise InvalidArgument("Inference-Header-Content-Length does not fit the body")
    said = parse_object(body[:json_bytes] if json_bytes is not None else body)
    rest = memoryview(body)[len(body) if json_bytes is None else json_bytes :]
    request = pb.ModelInferRequest(id=_text(said, "id"))
    parameters = _object(said, "parameters")
    binary = bool(parameters.pop("binary_data_output", False))
    set_parameters(request.parameters, parameters)
    for tensor in _objects(said, "inputs"):
        raw, rest = _read_input(request.inputs.add(), tensor, rest)
        request.raw_input_contents.append(raw)
    if len(rest):
        raise InvalidArgument(f"{len(rest)} bytes of the body belong to no tensor")
    for output in _objects(said, "outputs"):
        parameters = _object(output, "parameters")
        binary = bool(parameters.pop("binary_data", binary))
        target = request.outputs.add(name=_text(output, "name"))
        set_parameters(target.parameters, parameters)
    return request, binary


def write_infer_response(response: Any, *, binary: bool) -> tuple[bytes, bytes]:
    """The JSON of a ModelInferResponse, and the bytes that go behind it."""
    said: dict[str, Any] = {
        "model_name": response.model_name,
        "model_version": response.model_version,
    }
    if response.id:
        said["id"] = response.id
    outputs = said["outputs"] = []
    for output, raw in zip(response.outputs, response.raw_output_contents, strict=True):
        tensor = {"name": output.name, "datatype": output.datatype, "shape": list(output.shape)}
        if binary:
            tensor["parameters"] = {"binary_data_size": len(raw)}
        elif output.datatype == BYTES:
            tensor["data"] = [element.decode() for element in split_elements(raw)]
        else:
            tensor["data"] = np.frombuffer(raw, DTYPES[output.datatype]).tolist()
        outputs.append(tensor)
    rest = b"".join(response.raw_output_contents) if binary else b""
    return json.dumps(said).encode(), rest


def parse_object(text: bytes) -> dict[str, Any]:
    """A JSON object; an empty text is an empty object.

    Raises:
        InvalidArgument: It is none.
    """
    try:
        said = read_json(text or b"{}")
    except ValueError as error:
        raise InvalidArgument(f"failed to parse the request JSON: {error}") from None
    if not isinstance(said, dict):
        raise InvalidArgument("failed to parse the request JSON: it is no object")
    return said


def set_parameters(target: Any, parameters: Mapping[str, Any]) -> None:
    """Writes JSON values into a map of InferParameter or ModelRepositoryParameter.

    Raises:
        InvalidArgument: A value is no truth value, number or text that fits.
    """
    for name, value in parameters.items():
        kinds = {bool: "bool_param", int: "int64_param", float: "double_param", str: "string_param"}
        try:
            setattr(target[name], kinds[type(value)], value)
        except (KeyError, ValueError, AttributeError):
            raise InvalidArgument(f"the parameter {name!r} has an impossible value") from None


def _read_input(target: Any, said: dict[str, Any], rest: memoryview) -> tuple[bytes, memoryview]:
    """Fills in an InferInputTensor; gives its elements, and the bytes behind them."""
    target.name, target.datatype = _text(said, "name"), _text(said, "datatype")
    try:
        target.shape.extend(said.get("shape", ()))
    except (TypeError, ValueError):
        raise InvalidArgument(f"the shape of input {target.name!r} is no list of sizes") from None
    parameters = _object(said, "parameters")
    size = parameters.pop("binary_data_size", None)
    set_parameters(target.parameters, parameters)
    if size is None:
        return _raw_data(target.name, target.datatype, said.get("data")), rest
    if type(size) is not int or not 0 <= size <= len(rest):
        raise InvalidArgument(
            f"binary_data_size of input {target.name!r} is {size!r}: {len(rest)} bytes are left"
        )
    if "data" in said:
        raise InvalidArgument(f"input {target.name!r} has both data and binary_data_size")
    return bytes(rest[:size]), rest[size:]


def _raw_data(name: str, datatype: str, data: Any) -> bytes:
    if not isinstance(data, list):
        raise InvalidArgument(f"input {name!r} has no data")
    if datatype == BYTES:
        return join_elements(_elements(name, data))
    if datatype not in DTYPES:
        # What is wrong with the type is said where the model is known.
        return b""
    try:
        numbers = np.empty(0, object) if has_text(data) else np.asarray(data)
    except (ValueError, OverflowError):
        numbers = np.empty(0, object)
    if numbers.dtype.kind not in "iuf":
        raise InvalidArgument(f"the data of input {name!r} are not all numbers of one shape")
    with np.errstate(over="ignore", invalid="ignore"):
        typed = numbers.astype(DTYPES[datatype])
    if typed.dtype.kind in "iu" and not np.array_equal(typed, numbers):
        raise InvalidArgument(f"the data of input {name!r} are not all of type {datatype}")
    return typed.tobytes()


def _elements(name: str, data: list[Any]) -> Iterator[bytes]:
    """Files in JSON: base64, since their bytes are no text."""
    for row in data:
        for element in row if isinstance(row, list) else [row]:
            try:
                yield base64.b64decode(element, validate=True)
            except (TypeError, ValueError):
                raise InvalidArgument(
                    f"the data of input {name!r} are not all base64: send image files so, "
                    "or as binary tensor data"
                ) from None


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name, "")
    if not isinstance(value, str):
        raise InvalidArgument(f"{name!r} must be text")
    return value


def _object(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = said.get(name, {})
    if not isinstance(value, dict):
        raise InvalidArgument(f"{name!r} must be an object")
    return dict(value)


def _objects(said: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = said.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidArgument(f"{name!r} must be a list of objects")
    return value
