"""The native API, `saccade.v1.ImageClassifier`."""

import time
from collections.abc import AsyncIterator
from functools import partial

from saccade.v1 import classifier_pb2 as pb
from saccade_server.errors import InvalidArgument, SaccadeError
from saccade_server.imaging import Pixels, Source
from saccade_server.metrics import Metrics
from saccade_server.registry import Registry, State, Version
from saccade_server.services.call import Call, Method
from saccade_server.services.classification import Classified, ImagePath
from saccade_server.services.failures import failure
from saccade_server.services.inflight import Inflight
from saccade_server.services.per_version import PerVersion
from saccade_server.services.ranking import best_classes
from saccade_server.services.side_by_side import answer_when_ready
from saccade_server.services.writing import ResultWriter, result

DEFAULT_TOP_K = 5
_PREFIX = f"/{pb.DESCRIPTOR.services_by_name['ImageClassifier'].full_name}"
_STREAM = f"{_PREFIX}/ClassifyStream"

_STATES = {
    State.WAITING: pb.VERSION_STATE_LOADING,  # What is missing is in the reason.
    State.LOADING: pb.VERSION_STATE_LOADING,
    State.READY: pb.VERSION_STATE_READY,
    State.UNLOADING: pb.VERSION_STATE_UNLOADING,
    State.FAILED: pb.VERSION_STATE_FAILED,
}


class ClassifierService:
    """Check, delegate, reply.

    Args:
        registry: Of the models.
        images: The way of images.
        metrics: For the time of encoding.
        inflight: Counts the requests of streams.
    """

    def __init__(
        self, registry: Registry, images: ImagePath, metrics: Metrics, inflight: Inflight
    ) -> None:
        self._registry = registry
        self._images = images
        self._inflight = inflight
        self._writers = PerVersion(lambda version: ResultWriter(version.artifact.class_labels))
        self._encode_seconds = metrics.stage_seconds.labels("encode")

    def methods(self) -> list[Method]:
        """The methods, for a transport."""
        return [
            Method(
                api="saccade",
                path=f"{_PREFIX}/Classify",
                request=pb.ClassifyRequest,
                unary=self.classify,
            ),
            Method(
                api="saccade",
                path=_STREAM,
                request=pb.ClassifyRequest,
                stream=self.classify_stream,
                streams_requests=True,
            ),
            Method(
                api="saccade",
                path=f"{_PREFIX}/ListModels",
                request=pb.ListModelsRequest,
                unary=self.list_models,
            ),
            Method(
                api="saccade",
                path=f"{_PREFIX}/GetModel",
                request=pb.GetModelRequest,
                unary=self.get_model,
            ),
        ]

    async def classify(self, request: pb.ClassifyRequest, call: Call) -> pb.ClassifyResponse:
        """Answers Classify."""
        request_id = call.identify(request.request_id)
        version = self._registry.find(*_spec(request.model), key=call.traffic_key)
        call.model = version.model
        count = _top_k(request, len(version.artifact.class_labels))
        # A short message can hold millions of empty images.
        self._images.check_count(len(request.images))
        sources = [_source(image) for image in request.images]
        classified = await self._images.classify(sources, version, call)
        started = time.perf_counter()
        response = pb.ClassifyResponse(request_id=request_id)
        response.model.name, response.model.version = version.model, version.version
        response.MergeFromString(_write_results(classified, self._writers[version], count))
        _set_timings(response.timings, classified)
        self._encode_seconds.observe(time.perf_counter() - started)
        return response

    def classify_stream(
        self, requests: AsyncIterator[pb.ClassifyRequest], call: Call
    ) -> AsyncIterator[pb.ClassifyStreamResponse]:
        """Answers ClassifyStream: each request as it finishes."""
        return answer_when_ready(requests, partial(self._answer_one, stream=call))

    async def list_models(self, request: pb.ListModelsRequest, call: Call) -> pb.ListModelsResponse:
        """Answers ListModels."""
        response = pb.ListModelsResponse()
        for name, versions in sorted(self._registry.models.items()):
            response.models.add(
                name=name,
                versions=map(_describe, versions),
                default_version=self._registry.default_version(name),
            )
        return response

    async def get_model(self, request: pb.GetModelRequest, call: Call) -> pb.GetModelResponse:
        """Answers GetModel."""
        version = self._registry.describe(*_spec(request.model))
        call.model = version.model
        response = pb.GetModelResponse(
            model=pb.ModelSpec(name=version.model, version=version.version),
            version=_describe(version),
        )
        if version.loaded:
            manifest = version.loaded.artifact.manifest
            response.input.CopyFrom(manifest.input)
            response.output.CopyFrom(manifest.output)
            response.class_labels.extend(manifest.class_labels)
            response.evaluation.CopyFrom(manifest.evaluation)
            response.provenance.CopyFrom(manifest.provenance)
        return response

    async def _answer_one(
        self, request: pb.ClassifyRequest, stream: Call
    ) -> pb.ClassifyStreamResponse:
        """A request of a stream: what fails is its own answer, not the stream's end."""
        call = stream.part()
        started = time.perf_counter()
        try:
            with self._inflight.hold():
                response = await self.classify(request, call)
        except Exception as error:  # noqa: BLE001 - an edge: the stream's other requests go on
            failed = pb.ClassifyStreamResponse(request_id=call.request_id or request.request_id)
            seconds = time.perf_counter() - started
            _set_error(failed.error, failure(error, _STREAM, call, seconds))
            return failed
        finally:
            stream.model = call.model
            if call.trace is not None:
                call.trace.end(call.model, call.request_id)
        return pb.ClassifyStreamResponse(request_id=response.request_id, response=response)


def _spec(model: pb.ModelSpec) -> tuple[str, int, str]:
    if model.WhichOneof("choice") == "version" and model.version < 1:
        raise InvalidArgument(f"version must be a positive integer, got {model.version}")
    return model.name, model.version, model.label


def _top_k(request: pb.ClassifyRequest, classes: int) -> int:
    if not request.HasField("top_k"):
        return min(DEFAULT_TOP_K, classes)
    if not 1 <= request.top_k <= classes:
        raise InvalidArgument(
            f"top_k is {request.top_k}: this model has classes for 1 to {classes}"
        )
    return request.top_k


def _source(image: pb.Image) -> Source:
    if image.WhichOneof("content") == "pixels":
        pixels = image.pixels
        return Pixels(pixels.data, (pixels.height, pixels.width, pixels.channels))
    return image.encoded


def _write_results(classified: Classified, writer: ResultWriter, count: int) -> bytes:
    """One result for each image, in order."""
    probabilities = classified.probabilities
    best = best_classes(probabilities, count) if len(probabilities) else []
    rows = iter(zip(best, probabilities, strict=True))
    written = []
    for error in classified.errors:
        if error is None:
            indices, row = next(rows)
            written.append(writer.classified(indices, row[indices]))
        else:
            failed = pb.ImageResult()
            _set_error(failed.error, error)
            written.append(result(failed.SerializeToString()))
    return b"".join(written)


def _set_timings(timings: pb.Timings, classified: Classified) -> None:
    timings.decode_us = _microseconds(classified.decode_s)
    timings.queue_us = _microseconds(classified.queue_s)
    timings.inference_us = _microseconds(classified.inference_s)
    timings.batch_images = classified.batch_images


def _describe(version: Version) -> pb.ModelVersion:
    return pb.ModelVersion(
        version=version.version,
        state=_STATES[version.state],
        reason=version.reason,
        labels=version.labels,
        engine=version.loaded.engine if version.loaded else "",
    )


def _set_error(target: pb.Error, error: SaccadeError) -> None:
    target.code, target.message = error.code, error.message
    target.retry_after_us = _microseconds(error.retry_after_s or 0.0)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
