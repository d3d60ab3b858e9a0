"""JSON of callers, read within bounds.

Reading it blocks the event loop, and a value takes many times the memory of its text.
"""

import json
import re
from collections.abc import Iterable
from itertools import chain
from typing import Any

MAX_VALUES = 2 << 20
"""Numbers, texts and lists in one text: about ten color pictures of 224 x 224, number by number."""

MAX_DEPTH = 32
"""Of lists in lists that are a tensor; NumPy's own limit is 64."""

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""What may be half of a character, which is no Unicode text."""


def read_json(text: bytes) -> Any:
    """What a text says.

    Raises:
        ValueError: It is no JSON in UTF-8, or it is too much of it; the text says why.
    """
    values = 1 + text.count(b",") + text.count(b"[") + text.count(b"{")
    if values > MAX_VALUES:
        raise ValueError(
            f"it has more than {MAX_VALUES} values: send image files, or tensors as bytes"
        )
    try:
        said = json.loads(text.decode())
        if _HALF.search(text):
            json.dumps(said, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeError:
        raise ValueError("it is no text in UTF-8") from None
    return said


def has_text(tensor: Any) -> bool:
    """Whether lists in lists hold texts anywhere, or are nested more deeply than a tensor can be.

    NumPy would give every element the room of the longest text.
    """
    level = tensor if isinstance(tensor, list) else [tensor]
    for _ in range(MAX_DEPTH):
        kinds = set(map(type, level))
        if str in kinds:
            return True
        if list not in kinds:
            return False
        level = list(chain.from_iterable(_lists(level)))
    return True


def _lists(values: Iterable[Any]) -> Iterable[list[Any]]:
    return (value for value in values if isinstance(value, list))
