"""The JSON of TensorFlow Serving's HTTP form, made into the messages of its gRPC form and back."""

import base64
import binascii
from typing import Any

import numpy as np
from google.protobuf import json_format

from saccade_server.artifact import InputSpec
from saccade_server.errors import InvalidArgument
from saccade_server.http.json_text import has_text, read_json
from saccade_server.protocols import tensorflow_pb as tf
from saccade_server.protocols import tensorflow_serving_pb as pb


def parse_body(text: bytes, request: Any) -> dict[str, Any]:
    """A JSON object; its signature_name goes to the request.

    Raises:
        InvalidArgument: It is none, or the name is no text.
    """
    try:
        said = read_json(text)
    except ValueError as error:
        raise InvalidArgument(f"JSON Parse error: {error}") from None
    if not isinstance(said, dict):
        raise InvalidArgument("JSON Value: Is not object")
    name = said.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidArgument(
            "JSON Value: not formatted correctly. 'signature_name' key must be a string value."
        )
    request.model_spec.signature_name = name
    return said


def fill_predict_request(said: dict[str, Any], spec: InputSpec, request: Any) -> bool:
    """Makes the input tensor of what is said.

    Returns:
        Whether it is said by rows ("instances"), and not by columns ("inputs").

    Raises:
        InvalidArgument: It is not what the protocol says.
    """
    if ("instances" in said) == ("inputs" in said):
        raise InvalidArgument(
            "Missing 'inputs' or 'instances' key"
            if "inputs" not in said
            else "Not formatted correctly expecting only one of 'inputs' or 'instances' keys"
        )
    rows = "instances" in said
    value = _instances(said["instances"], spec.name) if rows else _column(said["inputs"], spec.name)
    _fill_tensor(request.inputs[spec.name], value, spec)
    return rows


def write_predictions(response: Any, *, rows: bool) -> dict[str, Any]:
    """The answer of Predict."""
    outputs = {name: _values(tensor) for name, tensor in response.outputs.items()}
    (values,) = outputs.values()
    return {"predictions" if rows else "outputs": values}


def fill_examples(said: dict[str, Any], method: str, message: Any) -> None:
    """Makes the Input message of what is said.

    Raises:
        InvalidArgument: It is not what the protocol says.
    """
    examples = said.get("examples")
    if not isinstance(examples, list) or not examples:
        raise InvalidArgument(
            f"When method is {method}, key 'examples' is expected with a list of at least one value"
        )
    held = message.example_list
    if "context" in said:
        held = message.example_list_with_context
        _fill_example(held.context, said["context"])
    for example in examples:
        _fill_example(held.examples.add(), example)


def write_classes(response: Any) -> dict[str, Any]:
    """The answer of Classify."""
    return {
        "results": [
            [[each.label, each.score] for each in classified.classes]
            for classified in response.result.classifications
        ]
    }


def write_message(message: Any) -> dict[str, Any]:
    """A message as it is, with fields that are empty too."""
    said: dict[str, Any] = json_format.MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        descriptor_pool=pb.PROTOCOL.pool,
    )
    return said


def _instances(instances: Any, name: str) -> list[Any]:
    """The values of all rows; a row is a value, or an object of values by input."""
    if not isinstance(instances, list):
        raise InvalidArgument("Expecting 'instances' to be an list/array")
    if not instances:
        raise InvalidArgument("No values in 'instances' array")
    named = _is_object(instances[0])
    values = []
    for number, instance in enumerate(instances):
        if _is_object(instance) != named:
            kinds = ("object", "value/list") if named else ("value/list", "object")
            raise InvalidArgument(
                f"Expecting {kinds[0]} but got {kinds[1]} at item {number} of input list"
            )
        if named and set(instance) != {name}:
            raise InvalidArgument(
                f"Failed to process element: {number} of 'instances' list. "
                f"JSON object: keys must be equal to: {name}"
            )
        values.append(instance[name] if named else instance)
    return values


def _column(inputs: Any, name: str) -> Any:
    if not _is_object(inputs):
        return inputs
    if name not in inputs:
        raise InvalidArgument(f"Missing named input: {name} in 'inputs' object.")
    return inputs[name]


def _is_object(value: Any) -> bool:
    """Whether it has names; {"b64": ...} is a value."""
    return isinstance(value, dict) and set(value) != {"b64"}


def _fill_tensor(tensor: Any, value: Any, spec: InputSpec) -> None:
    if has_text(value):
        raise _wrong_type(spec)
    try:
        elements = np.array(value)
    except ValueError:
        raise InvalidArgument("Encountered lists of different sizes at the same level") from None
    for size in elements.shape:
        tensor.tensor_shape.dim.add(size=size)
    pixels = spec.dtype == np.uint8
    if elements.dtype.kind == "O":
        tensor.dtype = tf.DT_STRING
        tensor.string_val.extend(_decode(element) for element in elements.ravel().tolist())
    elif elements.dtype.kind in ("iu" if pixels else "iuf"):
        tensor.dtype = tf.DT_INT64 if pixels else tf.DT_FLOAT
        with np.errstate(over="ignore"):
            tensor.tensor_content = elements.astype("<i8" if pixels else "<f4").tobytes()
    else:
        raise _wrong_type(spec)


def _wrong_type(spec: InputSpec) -> InvalidArgument:
    return InvalidArgument(
        f"JSON Value: not all are of expected type: {spec.dtype.name} "
        'or {"b64": the bytes of an image file in base64}'
    )


def _decode(element: Any) -> bytes:
    if not isinstance(element, dict) or set(element) != {"b64"}:
        raise InvalidArgument("JSON Value: not formatted correctly for base64 data")
    try:
        return base64.b64decode(element["b64"], validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise InvalidArgument("Unable to base64 decode") from None


def _values(tensor: Any) -> Any:
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    return np.array(tensor.float_val, np.float32).reshape(shape).tolist()


def _fill_example(target: Any, said: Any) -> None:
    if not isinstance(said, dict):
        raise InvalidArgument("Example must be JSON object")
    for name, content in said.items():
        values = content if isinstance(content, list) else [content]
        feature = target.features.feature[name]
        kinds = {type(value) for value in values}
        try:
            if kinds <= {int, bool}:
                feature.int64_list.value.extend(map(int, values))
            elif kinds <= {float}:
                feature.float_list.value.extend(values)
            elif kinds <= {str}:
                feature.bytes_list.value.extend(value.encode() for value in values)
            else:
                feature.bytes_list.value.extend(map(_decode, values))
        except (ValueError, UnicodeEncodeError):
            raise InvalidArgument(f"Feature: {name} has a value out of range") from None
