"""Tensors as the protocol writes them, and what a graph takes of them.

Elements travel in row-major order and little endian; an element of BYTES behind its length in four
bytes.
"""

import struct
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import InputSpec
from saccade_server.errors import InvalidArgument

BYTES = "BYTES"
"""The data type of encoded images."""

DTYPES: dict[str, np.dtype[np.generic]] = {
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "UINT8": np.dtype("u1"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
}
"""The numeric data types that are taken."""

_LENGTH = struct.Struct("<I")

Values = NDArray[np.uint8 | np.float32]


def datatype_of(spec: InputSpec) -> str:
    """The protocol's name of what a graph takes."""
    return "UINT8" if spec.dtype == np.uint8 else "FP32"


def graph_values(values: NDArray[np.generic], spec: InputSpec) -> Values:
    """Numbers as a graph takes them.

    Args:
        values: Shape (n, H, W, C), of one of `DTYPES`; in the graph's own range of values.
        spec: What the graph takes.

    Returns:
        The same shape, uint8 or float32; the same memory where nothing had to change.

    Raises:
        InvalidArgument: A value is not finite, or no number of that graph. Whole numbers are taken
            for pixels, and refused by a graph that does not take pixels as they are: it would
            answer, and be wrong.
    """
    whole = values.dtype.kind in "iu"
    if whole and not spec.takes_pixels:
        raise InvalidArgument(
            f"this model does not take pixels of 0 to 255 as they are: send {datatype_of(spec)} "
            "in its own range of values, or image files as BYTES"
        )
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    if spec.dtype == np.uint8:
        return _as_pixels(values)
    with np.errstate(over="ignore"):
        floats = values.astype(np.float32, copy=False)
    if not np.isfinite(floats).all():
        raise InvalidArgument("a value is infinite, not a number, or too large for FP32")
    return floats


def _as_pixels(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    with np.errstate(invalid="ignore"):
        pixels = values.astype(np.uint8)
    if not np.array_equal(pixels, values):
        raise InvalidArgument("this model takes UINT8: a value is not a whole number of 0 to 255")
    return pixels


def split_elements(raw: bytes, most: int | None = None) -> list[bytes]:
    """The elements of a raw BYTES tensor.

    Args:
        raw: Its bytes.
        most: So many are enough, whatever follows; None: all are wanted.

    Raises:
        InvalidArgument: A length does not fit the bytes that follow.
    """
    elements: list[bytes] = []
    position = 0
    while position < len(raw) and len(elements) != most:
        start = position + _LENGTH.size
        if start > len(raw):
            raise InvalidArgument("incomplete length of an element of a BYTES tensor")
        (length,) = _LENGTH.unpack_from(raw, position)
        position = start + length
        if position > len(raw):
            raise InvalidArgument(
                f"incomplete element of a BYTES tensor: {length} bytes are announced, "
                f"{len(raw) - start} follow"
            )
        elements.append(raw[start:position])
    return elements


def join_elements(elements: Iterable[bytes]) -> bytes:
    """A raw BYTES tensor."""
    return b"".join([_LENGTH.pack(len(element)) + element for element in elements])
