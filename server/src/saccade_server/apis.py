"""The APIs of the server: all methods and routes over one registry, and what answers them."""

import logging
from pathlib import Path

from aiohttp import web
from google.protobuf import descriptor_pool

from saccade_server.config import ServerConfig, is_loopback
from saccade_server.cpus import available_cpus
from saccade_server.credentials import Tokens
from saccade_server.http import InferenceRoutes, TensorFlowServingRoutes
from saccade_server.imaging import Decoder
from saccade_server.metrics import Metrics
from saccade_server.protocols import inference_pb, tensorflow_serving_pb
from saccade_server.registry import Registry
from saccade_server.services.access import guarded
from saccade_server.services.admission import bounded
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Method
from saccade_server.services.classification import ImagePath
from saccade_server.services.classifier import ClassifierService
from saccade_server.services.health import HealthService
from saccade_server.services.inference import InferenceService
from saccade_server.services.inflight import Inflight
from saccade_server.services.reflection import ReflectionService
from saccade_server.services.shadowing import Shadows
from saccade_server.services.tfserving import (
    ModelService,
    PredictionService,
    tensorflow_serving_methods,
)
from saccade_server.tracing import make_tracer

log = logging.getLogger(__name__)


class Apis:
    """Makes the services and what they share.

    Args:
        config: The settings.
        registry: Whose models answer.
        decoder: Of images.
        metrics: Where requests are counted.

    Attributes:
        answerer: Answers the methods.
        health: Tells whether the server is ready.
        methods: Of gRPC.
    """

    def __init__(
        self, config: ServerConfig, registry: Registry, decoder: Decoder, metrics: Metrics
    ) -> None:
        self._shadows = Shadows(registry, decoder, metrics)
        images = ImagePath(
            decoder,
            metrics,
            max_request_images=config.max_request_images,
            shadows=self._shadows,
            fairness_key=config.fairness_key,
        )
        # A lone processor is needed by the caller, if it is on this machine, and by the engine.
        busy_poll_s = config.busy_poll_s if available_cpus() > 1 else 0.0
        inflight = Inflight(metrics, config.max_inflight, busy_poll_s)
        may_change_models = config.model_control == "explicit"
        classifier = ClassifierService(registry, images, metrics, inflight)
        self._inference = InferenceService(
            registry,
            images,
            metrics,
            lambda: self.health.ready,
            inflight,
            max_request_images=config.max_request_images,
            may_change_models=may_change_models,
        )
        self._prediction = PredictionService(
            registry, images, metrics, max_request_images=config.max_request_images
        )
        managing = ModelService(registry, may_change_models=may_change_models)
        self._tensorflow_serving = tensorflow_serving_methods(self._prediction, managing)
        apis = [*classifier.methods(), *self._inference.methods(), *self._tensorflow_serving]
        self.health = HealthService(
            registry,
            sorted({each.service for each in apis}),
            any_model=config.ready_when == "any",
        )
        self._tokens = _tokens(config)
        known = [*apis, *self.health.methods()]
        self.methods = guarded(
            bounded(
                [*known, *_reflection(known).methods()],
                lambda: registry.models,
                config.fairness_key,
            ),
            self._tokens,
        )
        self._tracer = make_tracer(config.trace_endpoint) if config.trace_endpoint else None
        self.answerer = Answerer(metrics, inflight, self._tracer)

    def routes(self) -> list[web.RouteDef]:
        """Of the APIs over HTTP."""
        inference = guarded(self._inference.methods(), self._tokens)
        tensorflow_serving = guarded(self._tensorflow_serving, self._tokens)
        return [
            *InferenceRoutes(inference, self.answerer).routes(),
            *TensorFlowServingRoutes(
                tensorflow_serving, self.answerer, self._prediction.input_of
            ).routes(),
        ]

    async def finish_copies(self) -> None:
        """Ends what no caller waits for: the copies of requests that other versions answer too."""
        await self._shadows.close()

    async def close(self) -> None:
        """Sends the spans that are left."""
        if self._tracer is not None:
            await self._tracer.close()


def _tokens(config: ServerConfig) -> Tokens | None:
    """What callers must show, as the settings have it; says in the log what that leaves open."""
    tokens = Tokens(Path(config.token_file)) if config.token_file else None
    if tokens is None and not config.tls_client_ca:
        log.warning("every caller that can reach the server may use it; see --token-file")
    elif not (config.tls_cert or config.insecure or is_loopback(config.host)):
        log.warning("tokens travel without encryption; see --tls-cert, or --insecure in a mesh")
    return tokens


def _reflection(methods: list[Method]) -> ReflectionService:
    """A name that a pool of ours knows is described by it, whatever else is in the process."""
    pools = [
        inference_pb.PROTOCOL.pool,
        tensorflow_serving_pb.PROTOCOL.pool,
        descriptor_pool.Default(),
    ]
    return ReflectionService(sorted({each.service for each in methods}), pools)
