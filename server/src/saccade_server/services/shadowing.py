"""Copies of requests, run on a version whose answers are compared and never given.

A copy must not cost a request anything that can be avoided: it is begun only in a moment in which
no version of this process has anything to do, one at a time, and is dropped otherwise. What cannot
be avoided: a request that comes while a copy is in an engine shares the processors with that call.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saccade_server.errors import InvalidArgument, Overloaded
from saccade_server.imaging import Decoder, Source
from saccade_server.metrics import Metrics
from saccade_server.registry import LoadedVersion, Registry

log = logging.getLogger(__name__)

Values = NDArray[np.uint8 | np.float32]


class Answered(NamedTuple):
    """An answered request.

    Attributes:
        version: What has answered it.
        images: Of shape (n, H, W, C), as that version takes them. Not to be changed any more.
        sources: What they were decoded from, bad ones too; empty: the caller sent them as they are.
        probabilities: The answer, shape (n, K).
    """

    version: LoadedVersion
    images: Values
    sources: Sequence[Source]
    probabilities: NDArray[np.float32]


class Shadows:
    """Makes copies of answered requests.

    Args:
        registry: Says which versions get copies.
        decoder: For versions that take images in another form.
        metrics: Where agreement and cost are shown.
        draw: From 0 to 1, for each request and shadow version.
    """

    def __init__(
        self,
        registry: Registry,
        decoder: Decoder,
        metrics: Metrics,
        *,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._registry = registry
        self._decoder = decoder
        self._metrics = metrics
        self._draw = draw
        self._copying: asyncio.Task[None] | None = None
        self._told: LoadedVersion | None = None

    def offer(self, answered: Answered) -> None:
        """Has a request copied, if it is its turn; returns at once."""
        for shadow, percent in self._registry.shadows(answered.version.model):
            if shadow is answered.version or self._draw() * 100 >= percent:
                continue
            if (self._copying and not self._copying.done()) or not self._registry.idle:
                self._count(shadow, "dropped", len(answered.images))
            else:
                self._copying = asyncio.create_task(self._copy(shadow, answered))

    async def finish(self) -> None:
        """Waits for the copy under way."""
        if self._copying is not None:
            await asyncio.gather(self._copying, return_exceptions=True)

    async def close(self) -> None:
        """Gives up the copy under way."""
        if self._copying is not None:
            self._copying.cancel()
            await self.finish()

    async def _copy(self, shadow: LoadedVersion, answered: Answered) -> None:
        if shadow.users.dismissed:
            return
        try:
            with shadow.users.hold():
                images = await self._images(shadow, answered)
                if len(images) != len(answered.images):
                    self._count(shadow, "other_input", len(answered.images))
                    return
                scores = await shadow.predictor.submit_spare(images)
        except Overloaded:
            self._count(shadow, "dropped", len(answered.images))
        except Exception as error:  # noqa: BLE001 - the edge: nobody waits for it
            self._count(shadow, "failed", len(answered.images))
            if shadow is not self._told:
                self._told = shadow
                log.warning(
                    "model %s: a copy for version %d failed, and so may others: %s",
                    shadow.model, shadow.version, error,
                )  # fmt: skip
        else:
            seconds = self._metrics.shadow_inference_seconds
            seconds.labels(shadow.model, str(shadow.version)).inc(scores.inference_s)
            self._compare(shadow, answered, scores.probabilities)

    async def _images(self, shadow: LoadedVersion, answered: Answered) -> Values:
        """The images as the shadow version takes them; none if that cannot be."""
        spec = shadow.artifact.input
        if spec.takes_the_same(answered.version.artifact.input):
            return answered.images
        decoded = await self._decoder.decode(answered.sources, spec) if answered.sources else []
        good = [each for each in decoded if not isinstance(each, InvalidArgument)]
        return np.stack(good) if good else answered.images[:0]

    def _compare(
        self, shadow: LoadedVersion, answered: Answered, copied: NDArray[np.float32]
    ) -> None:
        given = answered.probabilities
        mine = shadow.artifact.class_labels
        others = answered.version.artifact.class_labels
        best = zip(copied.argmax(1).tolist(), given.argmax(1).tolist(), strict=True)
        agreed = sum(mine[one] == others[other] for one, other in best)
        self._count(shadow, "agreed", agreed)
        self._count(shadow, "differed", len(copied) - agreed)
        if mine == others:
            difference = self._metrics.shadow_difference.labels(shadow.model, str(shadow.version))
            for each in np.abs(copied - given).max(1).tolist():
                difference.observe(each)

    def _count(self, shadow: LoadedVersion, outcome: str, images: int) -> None:
        if not shadow.users.dismissed:  # Its series have gone.
            labels = shadow.model, str(shadow.version), outcome
            self._metrics.shadow_images.labels(*labels).inc(images)
