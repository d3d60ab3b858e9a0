"""The Open Inference Protocol over HTTP: JSON, with tensors as bytes behind it."""

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from fixtures.hostile_images import seeds as pictures
from fixtures.real_requests import real_json
from saccade_server.errors import SaccadeError
from saccade_server.http.json_tensors import read_infer_request
from saccade_server.services.inference.reading import read_request
from saccade_server.services.inference.tensors import DTYPES

from ..building import Source, build_json, written
from ..catalogue import Check
from ..graphs import MAX_IMAGES, check_content, small_versions

_ALL_JSON = 0xFFFF
_BUILT = 0xFFFE
"""Instead of the length of the JSON: all is JSON, and the rest says of which kind."""

_VERSIONS = small_versions()


def seeds() -> list[bytes]:
    """Bodies of real clients, and small ones with numbers, files and bytes behind the JSON."""
    pixels = {"name": "images", "datatype": "UINT8", "shape": [1, 2, 2, 1], "data": [1, 2, 3, 4]}
    floats = {**pixels, "datatype": "FP32", "data": [[[[0.5], [1]], [[-1e9], [3]]]]}
    files = {"name": "images", "datatype": "BYTES", "shape": [2], "data": ["AAE=", "aGFsbG8="]}
    outputs = [{"name": "probabilities", "parameters": {"classification": 2, "binary_data": True}}]
    behind = {
        **{key: value for key, value in floats.items() if key != "data"},
        "parameters": {"binary_data_size": 16},
    }
    said: list[Any] = [
        {"inputs": [pixels], "id": "a"},
        {"inputs": [floats], "outputs": outputs},
        {"inputs": [files], "parameters": {"binary_data_output": True, "x": 1.5}},
    ]
    whole = [_ALL_JSON.to_bytes(2, "big") + json.dumps(each).encode() for each in said]
    text = json.dumps({"inputs": [behind]}).encode()
    whole.append(len(text).to_bytes(2, "big") + text + np.arange(4, dtype="<f4").tobytes())
    whole += [_BUILT.to_bytes(2, "big") + written(each) for each in said]
    return [*whole, *(_ALL_JSON.to_bytes(2, "big") + body for body in real_json(pictures()["GIF"]))]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return nullcontext(check)


def check(data: bytes) -> None:
    """A body is refused, or its numbers are those that NumPy finds in it."""
    size, body = int.from_bytes(data[:2], "big"), data[2:]
    length = None if size in (_ALL_JSON, _BUILT) else size
    if size == _BUILT:
        body = json.dumps(build_json(Source(body))).encode()
    try:
        request, binary = read_infer_request(body, length)
    except SaccadeError:
        return
    assert isinstance(binary, bool)
    said = json.loads(body[:length] or b"{}")
    for tensor, raw, told in zip(
        request.inputs, request.raw_input_contents, said.get("inputs", []), strict=True
    ):
        if "data" in told and tensor.datatype in DTYPES:
            with np.errstate(all="ignore"):
                expected = np.asarray(told["data"]).astype(DTYPES[tensor.datatype]).tobytes()
            assert expected == raw, told
    for version in _VERSIONS:
        try:
            asked = read_request(request, version, MAX_IMAGES)
        except SaccadeError:
            continue
        check_content(asked.content, version.artifact.input)
