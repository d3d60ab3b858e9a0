"""Decoding beside the event loop."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import ColorSpace, InputSpec
from saccade_server.errors import InvalidArgument
from saccade_server.imaging.decode import ImageLimits, decode_image, fit_pixels, graph_values

Values = NDArray[np.uint8 | np.float32]


class Pixels(NamedTuple):
    """Decoded pixels as a caller sent them, not yet checked; see `fit_pixels`."""

    data: bytes
    shape: tuple[int, int, int]


Source = bytes | Pixels
"""An image file's bytes, or pixels."""


class Decoder:
    """Turns images into graph values in a small pool of threads.

    As many images are decoded at the same time as there are threads: that bounds the memory.

    Args:
        threads: At least 1.
        limits: What one image may cost.
    """

    def __init__(self, *, threads: int, limits: ImageLimits) -> None:
        self._threads = threads
        self._limits = limits
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    def is_free(self, sources: Sequence[Source], spec: InputSpec) -> bool:
        """Whether the images are pixels of the graph's own shape: nothing has to be computed."""
        as_they_are = spec.takes_pixels and spec.color_space is not ColorSpace.BGR
        return as_they_are and all(
            isinstance(source, Pixels) and source.shape == spec.shape for source in sources
        )

    def decode_now(
        self, sources: Sequence[Source], spec: InputSpec
    ) -> list[Values | InvalidArgument]:
        """Like `decode`, in the caller's thread."""
        return [self._decode_one(source, spec) for source in sources]

    async def decode(
        self, sources: Sequence[Source], spec: InputSpec
    ) -> list[Values | InvalidArgument]:
        """The values of each image, shape `spec.shape`, or what is wrong with it, in order."""
        loop = asyncio.get_running_loop()
        share = -(-len(sources) // self._threads)
        shares = [sources[start : start + share] for start in range(0, len(sources), share)]
        jobs = [loop.run_in_executor(self._pool, self.decode_now, part, spec) for part in shares]
        return [values for part in await asyncio.gather(*jobs) for values in part]

    def close(self) -> None:
        """Ends the threads; images that wait are not decoded."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _decode_one(self, source: Source, spec: InputSpec) -> Values | InvalidArgument:
        try:
            if isinstance(source, Pixels):
                pixels = fit_pixels(source.data, source.shape, spec, self._limits)
            else:
                pixels = decode_image(source, spec, self._limits)
        except InvalidArgument as error:
            return error
        return graph_values(pixels, spec)
