"""Refusing messages of countless parts before they are parsed.

To protobuf a part of two bytes is an object of a hundred: it makes gigabytes of a message of some
megabytes. What is asked here costs a large message of a few images microseconds.
"""

from functools import cache
from typing import Any

from saccade_server.errors import InvalidArgument

LARGE_BYTES = 1 << 20
"""Below that, a message can't take more memory than a large image."""

MOST_PARTS = 250_000
"""Fields and elements that are not packed: more than an image has values, if each is a part."""

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_VARINT_BYTES = 10


def check_parts(data: bytes, kind: Any) -> None:
    """Counts the parts of a message, and of the messages in it, if it is large.

    What is no message at all passes: the parser says so better.

    Args:
        data: The message; see https://protobuf.dev/programming-guides/encoding.
        kind: The descriptor of its type.

    Raises:
        InvalidArgument: It has too many, or some that no method has.
    """
    if len(data) <= LARGE_BYTES:
        return
    left = MOST_PARTS
    waiting = [(0, len(data), kind)]
    try:
        while waiting:
            position, end, kind = waiting.pop()
            messages = _messages(kind)
            while position < end:
                left -= 1
                if left < 0:
                    raise InvalidArgument(f"the message has more than {MOST_PARTS} parts")
                tag, position = _read(data, position)
                wire = tag & 7
                if wire == _LENGTH:
                    size, position = _read(data, position)
                    inner = messages.get(tag >> 3)
                    if inner is not None:
                        # In the parser's order: what it does not reach costs nothing.
                        waiting.append((position + size, end, kind))
                        waiting.append((position, min(position + size, end), inner))
                        break
                    position += size
                elif wire == _VARINT:
                    _, position = _read(data, position)
                elif wire == _EIGHT_BYTES:
                    position += 8
                elif wire == _FOUR_BYTES:
                    position += 4
                else:
                    raise InvalidArgument("the message has groups, which no method takes")
    except IndexError:
        return


@cache
def _messages(kind: Any) -> dict[int, Any]:
    """The type of each field that holds messages, by its number."""
    return {each.number: each.message_type for each in kind.fields if each.message_type}


def _read(data: bytes, position: int) -> tuple[int, int]:
    """A varint, and where it ends.

    Raises:
        IndexError: It does not end.
    """
    byte = data[position]
    if byte < 0x80:
        return byte, position + 1
    value = byte & 0x7F
    for number in range(1, _VARINT_BYTES):
        byte = data[position + number]
        value |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            return value, position + number + 1
    raise IndexError
