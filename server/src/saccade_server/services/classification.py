"""Images to scores: what all APIs that classify do between their messages."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saccade_server.errors import InvalidArgument
from saccade_server.imaging import Decoder, Source
from saccade_server.metrics import Metrics
from saccade_server.registry import LoadedVersion, Scored
from saccade_server.services.call import Call
from saccade_server.services.per_version import PerVersion
from saccade_server.services.shadowing import Answered, Shadows
from saccade_server.services.tally import VersionTally

Values = NDArray[np.uint8 | np.float32]


class Classified(NamedTuple):
    """What became of a request's images.

    Attributes:
        probabilities: Shape (m, K): the rows of the m images without error, in order.
        errors: For each image of the request, None or what is wrong with it.
        decode_s: Seconds to decode and resize all images.
        queue_s: Seconds in the queue.
        inference_s: Seconds of the engine calls that the request was part of.
        batch_images: Images in the largest of them; 0 if no image was good.
    """

    probabilities: NDArray[np.float32]
    errors: list[InvalidArgument | None]
    decode_s: float
    queue_s: float
    inference_s: float
    batch_images: int


class ImagePath:
    """The way of images: check, decode, queue, engine.

    Args:
        decoder: Shared by all models.
        metrics: Where stages and images are counted.
        max_request_images: In one request.
        shadows: Get copies of what was answered, or None.
        fairness_key: The metadata that names the client, where clients get equal shares.
    """

    def __init__(
        self,
        decoder: Decoder,
        metrics: Metrics,
        *,
        max_request_images: int,
        shadows: Shadows | None = None,
        fairness_key: str = "",
    ) -> None:
        self._fairness_key = fairness_key
        self._decoder = decoder
        self._shadows = shadows
        self._max_request_images = max_request_images
        self._metrics = metrics
        self._tallies = PerVersion(lambda version: VersionTally(metrics, version))
        self._decode_seconds = metrics.stage_seconds.labels("decode")
        self._queue_seconds = metrics.stage_seconds.labels("queue")
        self._inference_seconds = metrics.stage_seconds.labels("inference")

    async def classify(
        self,
        sources: Sequence[Source],
        version: LoadedVersion,
        call: Call,
        *,
        all_or_none: bool = False,
    ) -> Classified:
        """Classifies images; a bad one gets its error and does not disturb the others.

        Args:
            sources: The images.
            version: What answers.
            call: Of the request.
            all_or_none: For APIs without errors of single images: one bad image fails the request,
                and nothing is computed.

        Raises:
            InvalidArgument: No images, too many, or a bad one where that fails the request; the
                text then names its index.
            SaccadeError: As `Batcher.submit`.
        """
        self.check_count(len(sources))
        spec, tally = version.artifact.input, self._tallies[version]
        with version.users.hold(), tally.done.request():
            started = time.perf_counter()
            images = self._decoder.join_ready(sources, spec)
            errors: list[InvalidArgument | None] = [None] * len(sources)
            if images is None:
                client = call.metadata.get(self._fairness_key, "")
                with version.predictor.reserve(len(sources), deadline=call.deadline, client=client):
                    decoded = await self._decoder.decode(sources, spec)
                images, errors = _sort(decoded, tally)
            decode_s = time.perf_counter() - started
            self._decode_seconds.observe(decode_s)
            tally.done.decode.add(decode_s)
            if call.trace is not None:
                call.trace.decoded(decode_s, len(sources))
            if all_or_none:
                _check_all(errors)
            if images is None:
                nothing = np.empty((0, len(version.artifact.class_labels)), np.float32)
                return Classified(nothing, errors, decode_s, 0.0, 0.0, 0)
            return await self._score(images, sources, errors, version, tally, call, decode_s)

    async def classify_values(
        self, values: NDArray[np.uint8 | np.float32], version: LoadedVersion, call: Call
    ) -> Classified:
        """Classifies what is ready for the graph: nothing is resized, scaled or decoded.

        Args:
            values: Shape (n, *input.shape), in the graph's range and data type.
            version: What answers.
            call: Of the request.

        Raises:
            InvalidArgument: No images, too many, or of another shape.
            SaccadeError: As `Batcher.submit`.
        """
        spec = version.artifact.input
        if values.shape[1:] != spec.shape:
            raise InvalidArgument(
                f"the input has the shape {list(values.shape)}: send [n, "
                f"{', '.join(map(str, spec.shape))}]"
            )
        self.check_count(len(values))
        tally = self._tallies[version]
        with version.users.hold(), tally.done.request():
            errors: list[InvalidArgument | None] = [None] * len(values)
            return await self._score(values, (), errors, version, tally, call, 0.0)

    def check_count(self, images: int) -> None:
        """Checks how many images a request has, for who would make something of each.

        Raises:
            InvalidArgument: None, or too many.
        """
        if not 1 <= images <= self._max_request_images:
            raise InvalidArgument(
                f"the request has {images} images: send 1 to {self._max_request_images}"
            )

    async def _score(
        self,
        images: NDArray[np.uint8 | np.float32],
        sources: Sequence[Source],
        errors: list[InvalidArgument | None],
        version: LoadedVersion,
        tally: VersionTally,
        call: Call,
        decode_s: float,
    ) -> Classified:
        client = call.metadata.get(self._fairness_key, "")
        scores = await version.predictor.submit(
            images, deadline=call.deadline, urgent=call.urgent, client=client, alone=call.alone
        )
        answered = Answered(version, images, sources, scores.probabilities)
        if call.alone:
            # Behind its answer, which few requests have written at once.
            asyncio.get_running_loop().call_soon(self._note, scores, answered, tally)
        else:
            self._note(scores, answered, tally)
        if call.trace is not None:
            batch = version.model, version.version, scores.started
            call.trace.scored(batch, scores.queue_s, scores.inference_s, scores.batch_images)
        return Classified(
            scores.probabilities,
            errors,
            decode_s,
            scores.queue_s,
            scores.inference_s,
            scores.batch_images,
        )

    def _note(self, scores: Scored, answered: Answered, tally: VersionTally) -> None:
        """Counts a request's scores, and has it copied if it is its turn."""
        tally.done.add_scores(len(scores.probabilities), scores.queue_s, scores.inference_s)
        self._queue_seconds.observe(scores.queue_s)
        self._inference_seconds.observe(scores.inference_s)
        tally.add_scores(scores.probabilities)
        if self._shadows is not None:
            self._shadows.offer(answered)


def _sort(
    decoded: Sequence[Values | InvalidArgument], tally: VersionTally
) -> tuple[Values | None, list[InvalidArgument | None]]:
    """The good images, if any, as one array, and for each image None or what is wrong with it."""
    good: list[Values] = []
    errors: list[InvalidArgument | None] = []
    for values in decoded:
        if isinstance(values, InvalidArgument):
            tally.add_error(values)
            errors.append(values)
        else:
            good.append(values)
            errors.append(None)
    if not good:
        return None, errors
    return np.stack(good) if len(good) > 1 else good[0][np.newaxis], errors


def _check_all(errors: Sequence[InvalidArgument | None]) -> None:
    for index, error in enumerate(errors):
        if error is not None:
            raise InvalidArgument(f"image {index}: {error.message}")
