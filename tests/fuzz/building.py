"""JSON and messages made of any bytes.

A change in an input then changes what is said, and not whether it can be read at all.
"""

import math
import struct
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor

from fixtures.every_method import NUMBERS, TEXTS

_T = TypeVar("_T")

NAMES = (
    *("inputs", "instances", "examples", "outputs", "parameters", "name", "datatype", "shape"),
    *("data", "id", "b64", "images", "signature_name", "context", "binary_data_size", "AAE="),
    *("image/encoded", "binary_data", "binary_data_output", "classification", "UINT8", "INT64"),
    *("FP16", "FP64", "INT32", "tiny", "tensorflow/serving/predict"),
)
"""Texts that the protocols know."""

_TEXTS = (*NAMES, *TEXTS)
_FLOATS = (0.5, 0.0, 255.0, -1.0, 1e300, 3.5e38, 1e-45, math.inf, math.nan)
_CONSTANTS = (None, True, False, 10**400)
_OBJECT, _LIST, _GRID, _CONSTANT, _REAL, _NUMBER, _TEXT = range(7)
"""What a value of JSON begins with."""

_MAX_DEPTH = 8


class Source:
    """Any bytes, read from their beginning; behind their end zeros follow.

    Attributes:
        left: How many have not been read; below 0 behind the end.
    """

    def __init__(self, data: bytes) -> None:
        self._octets = iter(data)
        self.left = len(data)

    def octet(self) -> int:
        """The next one."""
        self.left -= 1
        return next(self._octets, 0)

    def octets(self, count: int) -> bytes:
        """So many of the next ones, or those that are left."""
        self.left -= count
        return bytes(islice(self._octets, count))

    def choose(self, options: Sequence[_T]) -> _T:
        """One of the options."""
        return options[self.octet() % len(options)]

    def number(self) -> int:
        """A number of up to 64 bits, mostly one at which things go wrong."""
        kind = self.octet() % 20
        if kind < len(NUMBERS):
            return NUMBERS[kind]
        return int.from_bytes(self.octets(kind - len(NUMBERS) + 1), "big", signed=True)

    def real(self) -> float:
        """A number with a fraction, or none."""
        kind = self.octet() % 12
        if kind < len(_FLOATS):
            return _FLOATS[kind]
        (value,) = struct.unpack("<d", self.octets(8).ljust(8, b"\0"))
        return float(value)

    def text(self) -> str:
        """A text, mostly a known one."""
        kind = self.octet()
        if kind < 4 * len(_TEXTS):
            return _TEXTS[kind % len(_TEXTS)]
        return self.octets(self.octet() % 32).decode("utf-8", "replace")


def build_json(source: Source, depth: int = 0) -> Any:
    """A value of JSON."""
    kind = source.octet() % (_TEXT + 1)
    if kind <= _GRID and depth < _MAX_DEPTH:
        count = source.octet() % 5
        if kind == _OBJECT:
            return {source.text(): build_json(source, depth + 1) for _ in range(count)}
        if kind == _LIST:
            return [build_json(source, depth + 1) for _ in range(count)]
        return _grid(source, (count, 2, 2, source.octet() % 3))
    if kind == _CONSTANT:
        return source.choose(_CONSTANTS)
    if kind == _REAL:
        return source.real()
    return source.number() if kind == _NUMBER else source.text()


def written(value: Any) -> bytes:
    """The bytes of which `build_json` makes a value: at most four members, numbers of 64 bits."""
    if isinstance(value, dict):
        members = (_written_text(key) + written(each) for key, each in value.items())
        return bytes((_OBJECT, len(value))) + b"".join(members)
    if isinstance(value, list):
        return bytes((_LIST, len(value))) + b"".join(map(written, value))
    if isinstance(value, str):
        return bytes((_TEXT,)) + _written_text(value)
    if isinstance(value, bool):
        return bytes((_CONSTANT, _CONSTANTS.index(value)))
    if isinstance(value, float):
        return bytes((_REAL,)) + _written_real(value)
    return bytes((_NUMBER,)) + _written_number(value)


def _written_number(value: int) -> bytes:
    octets = (value & ((1 << 64) - 1)).to_bytes(8, "big")
    return bytes((len(NUMBERS) + len(octets) - 1,)) + octets


def _written_real(value: float) -> bytes:
    return bytes((len(_FLOATS),)) + struct.pack("<d", value)


def _written_text(text: str) -> bytes:
    if text in _TEXTS:
        return bytes((_TEXTS.index(text),))
    return bytes((0xFF, len(text.encode()))) + text.encode()


def build_message(message: Any, source: Source, depth: int = 0) -> None:
    """Fills in a message."""
    fields = message.DESCRIPTOR.fields
    while source.left > 0:
        which = source.octet() % (len(fields) + 1)
        if which == len(fields):
            return
        _fill(message, fields[which], source, depth)


def written_message(message: Any) -> bytes:
    """The bytes of which `build_message` makes a message; texts and bytes of it must be short."""
    written = bytearray()
    for field, value in message.ListFields():
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        for each in value if field.is_repeated else [value]:
            written.append(field.index)
            if is_map:
                key, of = (field.message_type.fields_by_name[name] for name in ("key", "value"))
                written += _written_value(key, each) + _written_value(of, value[each])
            else:
                written += _written_value(field, each)
                # A value may be repeated; this one is not.
                written += b"\0" if field.is_repeated and not field.message_type else b""
    return bytes(written) + bytes((len(message.DESCRIPTOR.fields),))


def _written_value(field: FieldDescriptor, value: Any) -> bytes:
    if field.message_type is not None:
        return written_message(value)
    if field.enum_type is not None:
        return bytes((field.enum_type.values_by_number[value].index,))
    if isinstance(value, bytes):
        return bytes((len(value),)) + value
    if isinstance(value, str):
        return _written_text(value)
    if isinstance(value, bool):
        return bytes((value,))
    return _written_real(value) if isinstance(value, float) else _written_number(value)


def _grid(source: Source, shape: tuple[int, ...]) -> Any:
    """A tensor of numbers, all of them alike."""
    if not shape:
        return source.number() if source.octet() % 2 else source.real()
    return [_grid(source, shape[1:])] * shape[0]


def _fill(message: Any, field: FieldDescriptor, source: Source, depth: int) -> None:
    held = getattr(message, field.name)
    if field.message_type is None:
        value = _value(field, source)
        if field.is_repeated:
            held.extend([value] * (1 + source.octet() % 8))
        else:
            setattr(message, field.name, value)
    elif depth < _MAX_DEPTH:
        if not field.message_type.GetOptions().map_entry:
            build_message(held.add() if field.is_repeated else held, source, depth + 1)
            return
        key = _value(field.message_type.fields_by_name["key"], source)
        of = field.message_type.fields_by_name["value"]
        if of.message_type is None:
            held[key] = _value(of, source)
        else:
            build_message(held[key], source, depth + 1)


def _value(field: FieldDescriptor, source: Source) -> Any:
    """What fits into a field."""
    if field.type == FieldDescriptor.TYPE_BYTES:
        return source.octets(source.octet())
    if field.enum_type is not None:
        return source.choose([each.number for each in field.enum_type.values])
    return _VALUES[field.cpp_type](source)


def _whole(bits: int, *, signed: bool) -> Callable[[Source], int]:
    def read(source: Source) -> int:
        value = source.number() & ((1 << bits) - 1)
        return value - (1 << bits) if signed and value >> (bits - 1) else value

    return read


_VALUES: dict[int, Callable[[Source], Any]] = {
    FieldDescriptor.CPPTYPE_STRING: Source.text,
    FieldDescriptor.CPPTYPE_BOOL: lambda source: bool(source.octet() & 1),
    FieldDescriptor.CPPTYPE_FLOAT: Source.real,
    FieldDescriptor.CPPTYPE_DOUBLE: Source.real,
    FieldDescriptor.CPPTYPE_INT32: _whole(32, signed=True),
    FieldDescriptor.CPPTYPE_INT64: _whole(64, signed=True),
    FieldDescriptor.CPPTYPE_UINT32: _whole(32, signed=False),
    FieldDescriptor.CPPTYPE_UINT64: _whole(64, signed=False),
}
