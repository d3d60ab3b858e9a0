"""Decoding beside the event loop."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import ColorSpace, InputSpec
from saccade_server.cpus import step_back
from saccade_server.errors import InvalidArgument
from saccade_server.imaging.decode import ImageLimits, decode_image, fit_pixels, graph_values

Values = NDArray[np.uint8 | np.float32]


SLICE_S = 0.05
"""After that long a request lets others decode before it goes on with its next image."""


class Pixels(NamedTuple):
    """Decoded pixels as a caller sent them, not yet checked; see `fit_pixels`."""

    data: bytes
    shape: tuple[int, int, int]


Source = bytes | Pixels
"""An image file's bytes, or pixels."""


class Decoder:
    """Turns images into graph values in a small pool of threads.

    As many images are decoded at the same time as there are threads: that bounds the memory. The
    threads go from request to request, so that one with many large images does not keep small ones
    waiting, and leave a request whose caller has gone.

    Args:
        threads: At least 1.
        limits: What one image may cost.
        niceness: By which the threads are behind the event loop's; see `step_back`.
        clock: In seconds.
    """

    def __init__(
        self,
        *,
        threads: int,
        limits: ImageLimits,
        niceness: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threads = threads
        self._limits = limits
        self._clock = clock
        self._pool = ThreadPoolExecutor(
            threads, "decode", initializer=step_back, initargs=(niceness,)
        )

    def join_ready(self, sources: Sequence[Source], spec: InputSpec) -> Values | None:
        """All images, shape (n, *spec.shape), if nothing has to be computed for them.

        None: one of them is a file, or pixels that do not fit the graph as they are.
        """
        height, width, channels = shape = spec.shape
        if (
            not spec.takes_pixels
            or spec.color_space is ColorSpace.BGR
            or height * width > self._limits.max_pixels
        ):
            return None
        parts = []
        for source in sources:
            if isinstance(source, bytes) or source.shape != shape:
                return None
            parts.append(source.data)
        size = height * width * channels
        if any(len(part) != size for part in parts):
            return None
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        return np.frombuffer(data, np.uint8).reshape(len(parts), height, width, channels)

    async def decode(
        self, sources: Sequence[Source], spec: InputSpec
    ) -> list[Values | InvalidArgument]:
        """The values of each image, shape `spec.shape`, or what is wrong with it, in order."""
        share = -(-len(sources) // self._threads)
        shares = [sources[start : start + share] for start in range(0, len(sources), share)]
        gone = threading.Event()
        try:
            parts = await asyncio.gather(*(self._take_turns(part, spec, gone) for part in shares))
        except asyncio.CancelledError:
            gone.set()
            raise
        return [values for part in parts for values in part]

    def close(self) -> None:
        """Ends the threads; images that wait are not decoded."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _take_turns(
        self, sources: Sequence[Source], spec: InputSpec, gone: threading.Event
    ) -> list[Values | InvalidArgument]:
        """Decodes slice by slice, each at the end of the pool's line."""
        loop = asyncio.get_running_loop()
        decoded: list[Values | InvalidArgument] = []
        while len(decoded) < len(sources):
            left = sources[len(decoded) :]
            decoded += await loop.run_in_executor(self._pool, self._decode_some, left, spec, gone)
        return decoded

    def _decode_some(
        self, sources: Sequence[Source], spec: InputSpec, gone: threading.Event
    ) -> list[Values | InvalidArgument]:
        """The first images, at least one, until their time is up or nobody wants them."""
        end = self._clock() + SLICE_S
        decoded: list[Values | InvalidArgument] = []
        for source in sources:
            decoded.append(self._decode_one(source, spec))
            if gone.is_set() or self._clock() > end:
                break
        return decoded

    def _decode_one(self, source: Source, spec: InputSpec) -> Values | InvalidArgument:
        try:
            if isinstance(source, Pixels):
                pixels = fit_pixels(source.data, source.shape, spec, self._limits)
            else:
                pixels = decode_image(source, spec, self._limits)
        except InvalidArgument as error:
            return error
        return graph_values(pixels, spec)
