"""The methods of `inference.GRPCInferenceService`."""

import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from saccade_server.errors import InvalidArgument, NotFound, SaccadeError
from saccade_server.metrics import Metrics
from saccade_server.protocols import inference_pb as pb
from saccade_server.registry import LoadedVersion, Registry
from saccade_server.services.call import Call, Method
from saccade_server.services.classification import Classified, ImagePath
from saccade_server.services.failures import failure
from saccade_server.services.inference.administration import Administration
from saccade_server.services.inference.describing import (
    SERVICE,
    add_statistics,
    describe_config,
    describe_model,
    describe_server,
)
from saccade_server.services.inference.reading import Asked, read_number, read_request
from saccade_server.services.inference.writing import write_classes, write_scores
from saccade_server.services.inflight import Inflight
from saccade_server.services.side_by_side import answer_in_order

PROBES = frozenset({"ServerLive", "ServerReady", "ModelReady"})
"""Methods that ask how the server is."""

URGENT = 1
"""The priority that goes before the others."""


class InferenceService:
    """Check, delegate, reply.

    Args:
        registry: Of the models.
        images: The way of images and of ready-made values.
        metrics: For the statistics.
        ready: Whether the server as a whole can be sent requests.
        inflight: Counts the requests of streams.
        max_request_images: In one request.
        may_change_models: Whether callers may load and unload models.
    """

    def __init__(
        self,
        registry: Registry,
        images: ImagePath,
        metrics: Metrics,
        ready: Callable[[], bool],
        inflight: Inflight,
        *,
        max_request_images: int,
        may_change_models: bool,
    ) -> None:
        self._registry = registry
        self._images = images
        self._metrics = metrics
        self._encode_seconds = metrics.stage_seconds.labels("encode")
        self._ready = ready
        self._inflight = inflight
        self._max_request_images = max_request_images
        self._administration = Administration(registry, allowed=may_change_models)

    def methods(self) -> list[Method]:
        """The methods, for a transport."""
        unary = {
            "ServerLive": self.server_live,
            "ServerReady": self.server_ready,
            "ModelReady": self.model_ready,
            "ServerMetadata": self.server_metadata,
            "ModelMetadata": self.model_metadata,
            "ModelInfer": self.model_infer,
            "ModelConfig": self.model_config,
            "ModelStatistics": self.model_statistics,
            **self._administration.handlers(),
        }
        methods = [
            Method(
                api="inference",
                path=f"/{SERVICE}/{name}",
                request=getattr(pb, f"{name}Request"),
                unary=handler,
                probe=name in PROBES,
            )
            for name, handler in unary.items()
        ]
        stream = Method(
            api="inference",
            path=f"/{SERVICE}/ModelStreamInfer",
            request=pb.ModelInferRequest,
            stream=self.model_stream_infer,
            streams_requests=True,
        )
        return [*methods, stream]

    async def server_live(self, request: Any, call: Call) -> Any:
        """Answers ServerLive."""
        return pb.ServerLiveResponse(live=True)

    async def server_ready(self, request: Any, call: Call) -> Any:
        """Answers ServerReady."""
        return pb.ServerReadyResponse(ready=self._ready())

    async def model_ready(self, request: Any, call: Call) -> Any:
        """Answers ModelReady: a model that is not there is not ready."""
        try:
            self._find(request.name, request.version, call)
        except SaccadeError:
            return pb.ModelReadyResponse(ready=False)
        return pb.ModelReadyResponse(ready=True)

    async def server_metadata(self, request: Any, call: Call) -> Any:
        """Answers ServerMetadata."""
        return describe_server()

    async def model_metadata(self, request: Any, call: Call) -> Any:
        """Answers ModelMetadata."""
        version = self._find(request.name, request.version, call)
        return describe_model(version, self._registry.models[version.model])

    async def model_config(self, request: Any, call: Call) -> Any:
        """Answers ModelConfig."""
        version = self._find(request.name, request.version, call)
        return describe_config(version, self._max_request_images)

    async def model_statistics(self, request: Any, call: Call) -> Any:
        """Answers ModelStatistics: of one version, of a model, or of all."""
        if request.version:
            versions = [self._find(request.name, request.version, call)]
        else:
            names = [self._find(request.name, "", call).model] if request.name else []
            each = [
                v for name in names or self._registry.models for v in self._registry.models[name]
            ]
            versions = [version.ready for version in each if version.ready]
        response = pb.ModelStatisticsResponse()
        for version in versions:
            done = self._metrics.statistics(version.model, str(version.version))
            add_statistics(response, version, done)
        return response

    async def model_infer(self, request: Any, call: Call) -> Any:
        """Answers ModelInfer."""
        call.identify(request.id)
        name, number = request.model_name, request.model_version
        version = self._find(name, number, call, key=call.traffic_key)
        _apply_parameters(request.parameters, call)
        asked = read_request(request, version, self._max_request_images)
        if isinstance(asked.content, list):
            classified = await self._images.classify(asked.content, version, call, all_or_none=True)
        else:
            classified = await self._images.classify_values(asked.content, version, call)
        started = time.perf_counter()
        response = _answer(asked, version, classified)
        response.id = request.id
        self._encode_seconds.observe(time.perf_counter() - started)
        return response

    def model_stream_infer(self, requests: AsyncIterator[Any], call: Call) -> AsyncIterator[Any]:
        """Answers ModelStreamInfer: several requests at once, in their order."""
        return answer_in_order(requests, partial(self._answer_one, stream=call))

    async def _answer_one(self, request: Any, stream: Call) -> Any:
        """A request of a stream: what fails is its own answer, not the stream's end."""
        call = stream.part()
        response = pb.ModelStreamInferResponse()
        started = time.perf_counter()
        try:
            with self._inflight.hold():
                response.infer_response.CopyFrom(await self.model_infer(request, call))
        except Exception as error:  # noqa: BLE001 - an edge: the stream's other requests go on
            seconds = time.perf_counter() - started
            failed = failure(error, f"/{SERVICE}/ModelStreamInfer", call, seconds)
            response.error_message = failed.message
            response.infer_response.id = request.id
        finally:
            stream.model = call.model
            if call.trace is not None:
                call.trace.end(call.model, call.request_id)
        if "triton_enable_empty_final_response" in request.parameters:
            response.infer_response.parameters["triton_final_response"].bool_param = True
        return response

    def _find(self, name: str, text: str, call: Call, *, key: str = "") -> LoadedVersion:
        try:
            number = int(text or 0)
        except ValueError:
            number = -1
        if number < 0 or (text and not number):
            raise InvalidArgument(
                f"failed to get model version from specified version string {text!r}: "
                "version should be an integral value > 0"
            )
        try:
            version = self._registry.find(name, number, key=key)
        except NotFound as error:
            of = f" version {number}" if number else ""
            raise NotFound(
                f"Request for unknown model: '{name}'{of} is not found ({error.message})"
            ) from None
        call.model = version.model
        return version


def _apply_parameters(parameters: Any, call: Call) -> None:
    """Takes over priority and timeout; the deadline can only come nearer."""
    if not len(parameters):
        return
    call.urgent = read_number(parameters, "priority") == URGENT
    timeout_us = read_number(parameters, "timeout")
    if timeout_us:
        deadline = time.monotonic() + timeout_us / 1e6
        call.deadline = deadline if call.deadline is None else min(deadline, call.deadline)


def _answer(asked: Asked, version: LoadedVersion, classified: Classified) -> Any:
    response = pb.ModelInferResponse()
    response.model_name, response.model_version = version.model, str(version.version)
    name, labels = version.artifact.output.name, version.artifact.class_labels
    scores = classified.probabilities
    if asked.classes:
        write_classes(response, name, scores, labels, asked.classes, raw=asked.raw)
    else:
        write_scores(response, name, scores, raw=asked.raw)
    return response
