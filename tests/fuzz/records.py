"""Inputs that consist of several parts, cut so that a changed byte changes little else."""

from collections.abc import Iterable, Iterator

HEAD_BYTES = 2


def join(parts: Iterable[bytes]) -> bytes:
    """Parts, each behind its length."""
    return b"".join(len(part).to_bytes(HEAD_BYTES, "big") + part for part in parts)


def cut(data: bytes) -> Iterator[bytes]:
    """The parts of any bytes; the last one is what is left."""
    position = 0
    while position + HEAD_BYTES <= len(data):
        start = position + HEAD_BYTES
        position = start + int.from_bytes(data[position:start], "big")
        yield data[start:position]
