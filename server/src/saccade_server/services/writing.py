"""Results of the native API, written as bytes.

An answer mostly consists of scored classes. Made one message after the other, five of them cost as
much as all the rest of an answer. Of each class only the score changes: the bytes before it are
made once for a version, and protobuf reads all results of an answer at one blow.

    ClassifyResponse.results = 2: ImageResult.classification = 1: Classification.classes = 1:
    ScoredClass: label = 1, index = 2, score = 3
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_RESULT = b"\x12"
_CLASSIFICATION = b"\x0a"
_CLASS = b"\x0a"
_LABEL = b"\x0a"
_INDEX = b"\x10"
_SCORE = b"\x1d"
_SCORE_BYTES = 4


class ResultWriter:
    """Writes results for one version.

    Args:
        labels: The text of each class.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._heads = [_head(index, label.encode()) for index, label in enumerate(labels)]

    def classified(self, indices: Iterable[int], scores: NDArray[np.float32]) -> bytes:
        """The result of an image: its classes, best first, shape (k,)."""
        values = scores.astype("<f4", copy=False).tobytes()
        heads, parts, start = self._heads, [], 0
        for index in indices:
            parts.append(heads[index])
            parts.append(values[start : start + _SCORE_BYTES])
            start += _SCORE_BYTES
        return result(_sized(_CLASSIFICATION, b"".join(parts)))


def result(image_result: bytes) -> bytes:
    """An ImageResult as the next of an answer."""
    return _sized(_RESULT, image_result)


def _head(index: int, label: bytes) -> bytes:
    """All of a scored class but the score's bytes."""
    head = _sized(_LABEL, label) + _INDEX + _varint(index) + _SCORE
    return _CLASS + _varint(len(head) + _SCORE_BYTES) + head


def _sized(tag: bytes, payload: bytes) -> bytes:
    return tag + _varint(len(payload)) + payload


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    octets = bytearray()
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)
