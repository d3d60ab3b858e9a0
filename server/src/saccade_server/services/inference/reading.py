"""Requests of the protocol, read: what a graph is to be run on, and how it is to be answered."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.errors import InvalidArgument, Unimplemented
from saccade_server.registry import LoadedVersion
from saccade_server.services.inference.tensors import (
    BYTES,
    DTYPES,
    Values,
    graph_values,
    split_elements,
)

_FIELDS = {
    BYTES: "bytes_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
}
"""Where the typed elements of a data type stand. FP16 has no such field."""

_MAX_RANK = 16
"""More dimensions are counted, and not told."""

SHARED_MEMORY = "shared memory is not offered: send the tensors in the request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a ModelInferRequest asks for.

    Attributes:
        content: The bytes of image files, or values for the graph, shape (n, H, W, C).
        raw: Whether the answer's tensors are to be raw.
        classes: How many best classes of each image to answer with; 0: with all scores.
    """

    content: list[bytes] | Values
    raw: bool
    classes: int


def read_request(request: Any, version: LoadedVersion, max_images: int) -> Asked:
    """Checks a ModelInferRequest and takes the tensors out of it.

    Raises:
        InvalidArgument: Inputs, outputs, data type, shape or size are not the model's.
        Unimplemented: The tensors are in shared memory.
    """
    classes = _requested_classes(request.outputs, version)
    tensor = _only_input(request.inputs, version)
    if len(tensor.parameters) and "shared_memory_region" in tensor.parameters:
        raise Unimplemented(SHARED_MEMORY)
    raw = request.raw_input_contents
    if raw and len(raw) != 1:
        raise InvalidArgument(
            f"expected 1 raw_input_contents but got {len(raw)} for model {version.model!r}"
        )
    if raw and tensor.HasField("contents"):
        raise InvalidArgument(
            "contents field must not be specified when using raw_input_contents for "
            f"{tensor.name!r} for model {version.model!r}"
        )
    content = _content(tensor, raw[0] if raw else None, version, max_images)
    return Asked(content=content, raw=bool(raw), classes=classes)


def read_number(parameters: Mapping[str, Any], name: str) -> int:
    """A parameter that is a whole number of at least 0; 0 where it is missing.

    Raises:
        InvalidArgument: It is something else.
    """
    if not len(parameters) or name not in parameters:
        return 0
    parameter = parameters[name]
    kind = parameter.WhichOneof("parameter_choice")
    if kind not in ("int64_param", "uint64_param") or getattr(parameter, kind) < 0:
        raise InvalidArgument(f"the parameter {name!r} must be a whole number of at least 0")
    return int(getattr(parameter, kind))


def _requested_classes(outputs: Sequence[Any], version: LoadedVersion) -> int:
    if not outputs:
        return 0
    name = version.artifact.output.name
    for output in outputs:
        if output.name != name:
            raise InvalidArgument(
                f"unexpected inference output {output.name!r} for model {version.model!r}: "
                f"it has {name!r}"
            )
    if len(outputs) > 1:
        raise InvalidArgument(f"output {name!r} is requested {len(outputs)} times")
    if "shared_memory_region" in outputs[0].parameters:
        raise Unimplemented(SHARED_MEMORY)
    classes = read_number(outputs[0].parameters, "classification")
    return min(classes, len(version.artifact.class_labels))


def _only_input(inputs: Sequence[Any], version: LoadedVersion) -> Any:
    name = version.artifact.input.name
    for tensor in inputs:
        if tensor.name != name:
            raise InvalidArgument(
                f"unexpected inference input {tensor.name!r} for model {version.model!r}: "
                f"it takes {name!r}"
            )
    if len(inputs) != 1:
        missing = "" if inputs else f": missing is {name!r}"
        raise InvalidArgument(
            f"expected 1 inputs but got {len(inputs)} inputs for model {version.model!r}{missing}"
        )
    return inputs[0]


def _content(
    tensor: Any, raw: bytes | None, version: LoadedVersion, max_images: int
) -> list[bytes] | Values:
    """The tensor's elements, checked against what the model takes."""
    if len(tensor.shape) > _MAX_RANK:
        raise InvalidArgument(f"input {tensor.name!r} has {len(tensor.shape)} dimensions")
    shape = tuple(tensor.shape)
    datatype = tensor.datatype
    if datatype == BYTES:
        _check_shape(tensor.name, shape, shape[:1] + (1,) * (len(shape) == 2), version, max_images)
        return _files(tensor, raw, shape[0])
    if datatype not in DTYPES:
        raise InvalidArgument(
            f"inference input {tensor.name!r} data-type is {datatype!r}, but model "
            f"{version.model!r} takes {', '.join(DTYPES)}, or image files as {BYTES}"
        )
    _check_shape(
        tensor.name, shape, (*shape[:1], *version.artifact.input.shape), version, max_images
    )
    values = _typed_numbers(tensor, shape) if raw is None else _raw_numbers(tensor, shape, raw)
    return graph_values(values, version.artifact.input)


def _files(tensor: Any, raw: bytes | None, count: int) -> list[bytes]:
    """The elements of a BYTES tensor, as many as its shape says."""
    # One more is enough to refuse it: a short message can hold millions of empty ones.
    if raw is None:
        files = list(islice(_typed(tensor), count + 1))
    else:
        files = split_elements(raw, count + 1)
    if len(files) != count:
        got = len(files) if len(files) < count else f"more than {count}"
        raise InvalidArgument(
            f"expected {count} elements for inference input {tensor.name!r}, got {got}"
        )
    return files


def _check_shape(
    name: str,
    shape: tuple[int, ...],
    expected: tuple[int, ...],
    version: LoadedVersion,
    max_images: int,
) -> None:
    if not shape or shape != expected or shape[0] < 1:
        wanted = "-1" if not expected[1:] else f"-1,{','.join(map(str, expected[1:]))}"
        raise InvalidArgument(
            f"unexpected shape for input {name!r} for model {version.model!r}. "
            f"Expected [{wanted}], got [{','.join(map(str, shape))}]"
        )
    if shape[0] > max_images:
        raise InvalidArgument(
            f"inference request batch-size must be <= {max_images} for {version.model!r}"
        )


def _raw_numbers(tensor: Any, shape: tuple[int, ...], raw: bytes) -> NDArray[np.generic]:
    dtype = DTYPES[tensor.datatype]
    expected = math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise InvalidArgument(
            f"input byte size mismatch for input {tensor.name!r}. "
            f"Expected {expected}, got {len(raw)}"
        )
    return np.frombuffer(raw, dtype).reshape(shape)


def _typed_numbers(tensor: Any, shape: tuple[int, ...]) -> NDArray[np.generic]:
    elements = _typed(tensor)
    if len(elements) != math.prod(shape):
        raise InvalidArgument(
            f"expected {math.prod(shape)} elements for inference input {tensor.name!r}, "
            f"got {len(elements)}"
        )
    if tensor.datatype != "UINT8":
        return np.fromiter(elements, DTYPES[tensor.datatype], len(elements)).reshape(shape)
    numbers = np.fromiter(elements, np.uint32, len(elements))
    if numbers.max() > 255:
        raise InvalidArgument(f"a value of inference input {tensor.name!r} is no UINT8")
    return numbers.astype(np.uint8).reshape(shape)


def _typed(tensor: Any) -> Sequence[Any]:
    """The elements in the contents' field for the tensor's data type, the only one filled."""
    field = _FIELDS.get(tensor.datatype)
    if field is None:
        raise InvalidArgument(
            f"{tensor.datatype} has no typed contents: send it as raw_input_contents"
        )
    wrong = [each.name for each, _ in tensor.contents.ListFields() if each.name != field]
    if wrong:
        raise InvalidArgument(
            f"{tensor.datatype} goes in {field}, not {wrong[0]}, for inference input "
            f"{tensor.name!r}"
        )
    elements: Sequence[Any] = getattr(tensor.contents, field)
    return elements
