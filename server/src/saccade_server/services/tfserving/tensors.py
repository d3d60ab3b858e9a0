"""TensorProto, read for a graph and written from its scores.

The elements stand in `tensor_content` or in the list of their type, in row-major order. A list may
be shorter than the tensor: its last element fills the rest, and an empty one means zeros.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import InputSpec
from saccade_server.errors import InvalidArgument
from saccade_server.protocols import tensorflow_pb as tf

Values = NDArray[np.uint8 | np.float32]

NAMES: dict[int, str] = {
    number: name[3:].lower() for name, number in tf.DataType.items() if number < tf.DT_FLOAT_REF
}
"""TensorFlow's names of data types in its messages, such as "float" and "uint8"."""

# The type of an element, and the list that holds them.
_LISTS: dict[int, tuple[np.dtype[np.generic], str]] = {
    tf.DT_FLOAT: (np.dtype("<f4"), "float_val"),
    tf.DT_DOUBLE: (np.dtype("<f8"), "double_val"),
    tf.DT_HALF: (np.dtype("<f2"), "half_val"),
    tf.DT_BFLOAT16: (np.dtype("<u2"), "half_val"),
    tf.DT_UINT8: (np.dtype("u1"), "int_val"),
    tf.DT_INT8: (np.dtype("i1"), "int_val"),
    tf.DT_UINT16: (np.dtype("<u2"), "int_val"),
    tf.DT_INT16: (np.dtype("<i2"), "int_val"),
    tf.DT_INT32: (np.dtype("<i4"), "int_val"),
    tf.DT_UINT32: (np.dtype("<u4"), "uint32_val"),
    tf.DT_INT64: (np.dtype("<i8"), "int64_val"),
    tf.DT_UINT64: (np.dtype("<u8"), "uint64_val"),
}


_MAX_RANK = 16
"""More dimensions are counted, and not told."""


def data_type(spec: InputSpec) -> int:
    """The data type that a graph takes."""
    kind: int = tf.DT_UINT8 if spec.dtype == np.uint8 else tf.DT_FLOAT
    return kind


def read_input(tensor: Any, name: str, spec: InputSpec, max_images: int) -> list[bytes] | Values:
    """Takes images out of a TensorProto.

    Args:
        tensor: Of shape (n, H, W, C) with numbers, or of shape (n) or (n, 1) with image files.
        name: Of the input.
        spec: What the graph takes.
        max_images: n at most: a short message can describe a very large tensor.

    Returns:
        The bytes of n files, or values for the graph, shape (n, H, W, C).

    Raises:
        InvalidArgument: Data type, shape or elements do not fit the graph, or each other.
    """
    rank = len(tensor.tensor_shape.dim)
    if rank > _MAX_RANK:
        raise InvalidArgument(f"input {name!r} has {rank} dimensions")
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    files = tensor.dtype == tf.DT_STRING
    if not files and tensor.dtype not in _LISTS:
        raise _wrong_type(tensor, spec)
    expected = (1,) * (len(shape) == 2) if files else spec.shape
    if tensor.tensor_shape.unknown_rank or not shape or shape[1:] != expected or shape[0] < 1:
        raise InvalidArgument(
            f"input {name!r} has the shape {_text(shape)}, expected is "
            f"{_text((-1, *spec.shape))}, or [-1] for image files"
        )
    if shape[0] > max_images:
        raise InvalidArgument(f"the request has {shape[0]} images: send 1 to {max_images}")
    try:
        if files:
            return _read_strings(tensor, shape[0])
        return _graph_values(_read_numbers(tensor, shape), tensor, spec)
    except (ValueError, IndexError):
        raise InvalidArgument(f"tensor parsing error: {name}") from None


def write_scores(tensor: Any, scores: NDArray[np.float32]) -> None:
    """Fills in a TensorProto, in the form in which TensorFlow Serving answers."""
    tensor.dtype = tf.DT_FLOAT
    for size in scores.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.extend(scores.ravel().tolist())


def _read_numbers(tensor: Any, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """The elements; ValueError if there are too many or too few, or one is too large."""
    dtype, field = _LISTS[tensor.dtype]
    if tensor.tensor_content:
        numbers = np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
    else:
        numbers = _fill(_typed(getattr(tensor, field), dtype), shape)
    if tensor.dtype == tf.DT_BFLOAT16:
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    return numbers


def _typed(elements: Any, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    if dtype == np.float16:  # Each number holds the bits of one.
        return _typed(elements, np.dtype("<u2")).view(dtype)
    if dtype.kind == "f" or dtype.itemsize == 8:
        return np.fromiter(elements, dtype, len(elements))
    wide = np.fromiter(elements, np.int64, len(elements))
    narrow = wide.astype(dtype)
    if not np.array_equal(wide, narrow):
        raise ValueError("an element is too large for its type")
    return narrow


def _fill(elements: NDArray[np.generic], shape: tuple[int, ...]) -> NDArray[np.generic]:
    missing = math.prod(shape) - len(elements)
    if missing < 0:
        raise ValueError("more elements than the shape has")
    if missing:
        last = elements[-1:] if len(elements) else np.zeros(1, elements.dtype)
        elements = np.concatenate([elements, np.repeat(last, missing)])
    return elements.reshape(shape)


def _read_strings(tensor: Any, count: int) -> list[bytes]:
    strings: list[bytes] = list(tensor.string_val[: count + 1])
    if tensor.tensor_content:
        strings = _split(tensor.tensor_content, count)
    if not 1 <= len(strings) <= count:
        raise ValueError("more elements than the shape has, or none")
    return strings + [strings[-1]] * (count - len(strings))


def _split(content: bytes, count: int) -> list[bytes]:
    """The strings of a tensor's content: all lengths, each a base-128 varint, then all bytes."""
    position = 0
    lengths = []
    for _ in range(count):
        length, position = _length(content, position)
        lengths.append(length)
    if position + sum(lengths) != len(content):
        raise ValueError("the lengths do not fit the content")
    strings = []
    for length in lengths:
        strings.append(content[position : position + length])
        position += length
    return strings


def _length(content: bytes, position: int) -> tuple[int, int]:
    """A base-128 varint, and the position behind it."""
    length = 0
    # A longer one would be no number of 64 bits, and take time with the square of its length.
    for shift in range(0, 64, 7):
        byte = content[position]
        position += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return length, position
    raise ValueError("a length without end")


def _graph_values(numbers: NDArray[np.generic], tensor: Any, spec: InputSpec) -> Values:
    """Numbers as the graph takes them, if that loses and guesses nothing."""
    whole = numbers.dtype.kind in "iu"
    if spec.dtype == np.uint8:
        pixels = numbers.astype(np.uint8, copy=False) if whole else None
        if pixels is None or not np.array_equal(pixels, numbers):
            raise _wrong_type(tensor, spec)
        return pixels
    if whole and not spec.takes_pixels:
        # Pixels for a graph that wants them scaled: it would answer, and be wrong.
        raise _wrong_type(tensor, spec)
    with np.errstate(over="ignore"):
        floats = numbers.astype(np.float32, copy=False)
    if not np.isfinite(floats).all():
        raise InvalidArgument("a value is infinite, not a number, or too large for float")
    return floats


def _wrong_type(tensor: Any, spec: InputSpec) -> InvalidArgument:
    wanted, given = NAMES[data_type(spec)], NAMES.get(tensor.dtype, str(tensor.dtype))
    return InvalidArgument(f"Expects arg[0] to be {wanted} but {given} is provided")


def _text(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
