"""The Open Inference Protocol over gRPC: tensors of any shape, type and length."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
from google.protobuf.message import DecodeError

from saccade_server.errors import SaccadeError
from saccade_server.protocols import inference_pb as pb
from saccade_server.services.admission import read_name
from saccade_server.services.inference.reading import read_request
from saccade_server.services.inference.tensors import join_elements

from ..building import Source, build_message, written_message
from ..catalogue import Check
from ..graphs import MAX_IMAGES, check_content, small_versions

_VERSIONS = small_versions()
_WRITTEN, _BUILT = b"w", b"b"
"""What an input begins with that is a message, or says how to make one."""


def seeds() -> list[bytes]:
    """Numbers, typed and raw, and files."""
    numbers = pb.ModelInferRequest(model_name="tiny", id="a")
    tensor = numbers.inputs.add(name="images", datatype="FP32", shape=[1, 2, 2, 1])
    tensor.contents.fp32_contents.extend([0.0, 1.0, 2.0, 3.0])
    numbers.outputs.add(name="probabilities").parameters["classification"].int64_param = 1
    pixels = pb.ModelInferRequest(model_name="tiny")
    tensor = pixels.inputs.add(name="images", datatype="UINT8", shape=[2, 2, 2, 1])
    tensor.contents.uint_contents.extend(range(8))
    raw = pb.ModelInferRequest(model_name="tiny")
    raw.inputs.add(name="images", datatype="FP16", shape=[1, 2, 2, 1])
    raw.raw_input_contents.append(np.arange(4, dtype="<f2").tobytes())
    files = pb.ModelInferRequest(model_name="tiny")
    files.inputs.add(name="images", datatype="BYTES", shape=[2, 1])
    files.raw_input_contents.append(join_elements([b"abc", b""]))
    messages = (numbers, pixels, raw, files)
    return [
        *(_WRITTEN + each.SerializeToString() for each in messages),
        *(_BUILT + written_message(each) for each in messages),
    ]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return nullcontext(check)


def check(data: bytes) -> None:
    """A message is refused, or it is images that the graph takes."""
    for depth in (1, 2):
        assert len(read_name(data, depth)) <= len(data)
    request = pb.ModelInferRequest()
    try:
        if data[:1] == _BUILT:
            build_message(request, Source(data[1:]))
        else:
            request.MergeFromString(data[1:])
    except DecodeError:
        return
    for version in _VERSIONS:
        try:
            asked = read_request(request, version, MAX_IMAGES)
        except SaccadeError:
            continue
        assert 0 <= asked.classes <= len(version.artifact.class_labels), asked.classes
        check_content(asked.content, version.artifact.input)
