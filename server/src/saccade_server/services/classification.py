"""Images to scores: what all APIs that classify do between their messages."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saccade_server.errors import InvalidArgument
from saccade_server.imaging import Decoder, Source
from saccade_server.metrics import Metrics
from saccade_server.metrics.statistics import VersionStatistics
from saccade_server.registry import LoadedVersion
from saccade_server.services.call import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
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
    """

    def __init__(self, decoder: Decoder, metrics: Metrics, *, max_request_images: int) -> None:
        self._decoder = decoder
        self._max_request_images = max_request_images
        self._images = metrics.images
        self._predictions = metrics.predictions
        self._confidence = metrics.prediction_confidence
        self._decode_seconds = metrics.stage_seconds.labels("decode")
        self._queue_seconds = metrics.stage_seconds.labels("queue")
        self._inference_seconds = metrics.stage_seconds.labels("inference")
        self._statistics = metrics.statistics

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
        self._check_count(len(sources))
        spec = version.artifact.input
        done = self._statistics(version.model, str(version.version))
        with version.users.hold(), done.request():
            started = time.perf_counter()
            if self._decoder.is_free(sources, spec):
                decoded = self._decoder.decode_now(sources, spec)
            else:
                with version.predictor.reserve(len(sources), deadline=call.deadline):
                    decoded = await self._decoder.decode(sources, spec)
            decode_s = time.perf_counter() - started
            self._decode_seconds.observe(decode_s)
            done.decode.add(decode_s)
            good = [values for values in decoded if not isinstance(values, InvalidArgument)]
            errors = [values if isinstance(values, InvalidArgument) else None for values in decoded]
            if all_or_none:
                self._check_all(version, errors)
            if not good:
                self._count(version, np.empty((0, 0), np.float32), errors)
                return _nothing(errors, len(version.artifact.class_labels), decode_s)
            images = np.stack(good) if len(good) > 1 else good[0][np.newaxis]
            return await self._score(images, errors, version, done, call, decode_s)

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
        self._check_count(len(values))
        done = self._statistics(version.model, str(version.version))
        with version.users.hold(), done.request():
            return await self._score(values, [None] * len(values), version, done, call, 0.0)

    def _check_all(self, version: LoadedVersion, errors: Sequence[InvalidArgument | None]) -> None:
        for index, error in enumerate(errors):
            if error is not None:
                labels = version.model, str(version.version), error.code.name
                self._images.labels(*labels).inc()
                raise InvalidArgument(f"image {index}: {error.message}")

    def _check_count(self, images: int) -> None:
        if not 1 <= images <= self._max_request_images:
            raise InvalidArgument(
                f"the request has {images} images: send 1 to {self._max_request_images}"
            )

    async def _score(
        self,
        images: NDArray[np.uint8 | np.float32],
        errors: list[InvalidArgument | None],
        version: LoadedVersion,
        done: VersionStatistics,
        call: Call,
        decode_s: float,
    ) -> Classified:
        scores = await version.predictor.submit(images, deadline=call.deadline, urgent=call.urgent)
        done.add_scores(len(images), scores.queue_s, scores.inference_s)
        self._queue_seconds.observe(scores.queue_s)
        self._inference_seconds.observe(scores.inference_s)
        self._count(version, scores.probabilities, errors)
        return Classified(
            probabilities=scores.probabilities,
            errors=errors,
            decode_s=decode_s,
            queue_s=scores.queue_s,
            inference_s=scores.inference_s,
            batch_images=scores.batch_images,
        )

    def _count(
        self,
        version: LoadedVersion,
        probabilities: NDArray[np.float32],
        errors: list[InvalidArgument | None],
    ) -> None:
        labels = version.model, str(version.version)
        for error in filter(None, errors):
            self._images.labels(*labels, error.code.name).inc()
        if not len(probabilities):
            return
        self._images.labels(*labels, "ok").inc(len(probabilities))
        confidence = self._confidence.labels(*labels)
        for index, row in zip(probabilities.argmax(axis=1).tolist(), probabilities, strict=True):
            confidence.observe(row.item(index))
            self._predictions.labels(*labels, version.artifact.class_labels[index]).inc()


def _nothing(errors: list[InvalidArgument | None], classes: int, decode_s: float) -> Classified:
    """What a request is answered of which no image was good."""
    return Classified(
        probabilities=np.empty((0, classes), np.float32),
        errors=errors,
        decode_s=decode_s,
        queue_s=0.0,
        inference_s=0.0,
        batch_images=0,
    )
