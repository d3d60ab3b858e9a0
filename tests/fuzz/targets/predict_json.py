"""TensorFlow Serving over HTTP: JSON, made into the messages of its gRPC form."""

import json
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import numpy as np

from fixtures.hostile_images import seeds as pictures
from fixtures.real_requests import real_json
from saccade_server.artifact import InputSpec
from saccade_server.errors import SaccadeError
from saccade_server.http.tfserving_json import (
    fill_examples,
    fill_predict_request,
    parse_body,
    write_message,
)
from saccade_server.protocols import tensorflow_serving_pb as pb
from saccade_server.services.tfserving.examples import read_examples
from saccade_server.services.tfserving.tensors import Values, read_input

from ..building import Source, build_json, written
from ..catalogue import Check
from ..graphs import MAX_IMAGES, check_content, small_versions

_BUILT = b"\0"
"""What an input begins with that is no JSON, but says how to make some."""

_SPECS = [version.artifact.input for version in small_versions()]


def seeds() -> list[bytes]:
    """Bodies of real clients, and small ones of rows, columns and examples."""
    row = [[[1], [2]], [[3], [255]]]
    said: list[Any] = [
        {"instances": [row, row], "signature_name": "serving_default"},
        {"instances": [{"images": row}]},
        {"inputs": {"images": [row]}},
        {"inputs": [[[[0.5], [1e-9]], [[3], [-1]]]]},
        {"instances": [{"b64": "aGFsbG8="}, {"b64": ""}]},
        {"examples": [{"images": [1, 2, 3, 4]}, {"images": [0.5, 1.0, 2.0, 3.0]}]},
        {"examples": [{}], "context": {"image/encoded": {"b64": "AAE="}}},
    ]
    return [
        *(_BUILT + written(each) for each in said),
        *(json.dumps(each).encode() for each in said),
        *real_json(pictures()["GIF"]),
    ]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return nullcontext(check)


def check(data: bytes) -> None:
    """A body is refused, or it is images that the graph takes, its numbers those of the JSON."""
    if data[:1] == _BUILT:
        data = json.dumps(build_json(Source(data[1:]))).encode()
    try:
        said = parse_body(data, pb.PredictRequest())
    except SaccadeError:
        return
    for spec in _SPECS:
        with suppress(SaccadeError):
            _check_predict(said, spec)
        with suppress(SaccadeError):
            _check_classify(said, spec)


def _check_predict(said: dict[str, Any], spec: InputSpec) -> None:
    request = pb.PredictRequest()
    rows = fill_predict_request(said, spec, request)
    content = read_input(request.inputs[spec.name], spec.name, spec, MAX_IMAGES)
    check_content(content, spec)
    if not isinstance(content, list):
        told = said["instances" if rows else "inputs"]
        if rows and isinstance(told[0], dict):
            told = [each[spec.name] for each in told]
        elif isinstance(told, dict):
            told = told[spec.name]
        assert _same(np.asarray(told), content), said


def _check_classify(said: dict[str, Any], spec: InputSpec) -> None:
    request = pb.ClassificationRequest()
    fill_examples(said, "classify", request.input)
    write_message(request)
    check_content(read_examples(request.input, spec, MAX_IMAGES), spec)


def _same(told: Any, content: Values) -> bool:
    return np.array_equal(told.astype(content.dtype), content)
