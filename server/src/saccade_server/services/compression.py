"""Compressed messages: what we accept, and how it becomes plain within bounds."""

import asyncio
import zlib

from saccade_server.errors import Overloaded, SaccadeError

ACCEPTED = ("identity", "deflate", "gzip")

_WINDOW_BITS = {"deflate": zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16}


async def decompress(data: bytes, encoding: str, max_bytes: int) -> bytes:
    """The message that `data` is the compressed form of.

    It is made in a thread: a small input may stand for a large message, and other calls wait.

    Raises:
        SaccadeError: It is larger than `max_bytes`, or not of that encoding.
    """
    return await asyncio.get_running_loop().run_in_executor(
        None, _decompress, data, _WINDOW_BITS[encoding], max_bytes
    )


def _decompress(data: bytes, window_bits: int, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(window_bits)
    try:
        message = stream.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise SaccadeError(f"a compressed message is broken: {error}") from None
    if len(message) > max_bytes:
        raise Overloaded(f"a message is larger than {max_bytes} bytes once decompressed")
    if not stream.eof or stream.unused_data:
        raise SaccadeError("a compressed message is incomplete, or goes on behind its end")
    return message
