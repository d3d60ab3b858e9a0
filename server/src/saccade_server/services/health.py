"""The standard health service, `grpc.health.v1`.

Known names: "" (the server: every model answers and none is stuck, or one is enough, as it is set),
each API's service name (the same), and each model's name.
"""

import asyncio
from collections.abc import AsyncIterator

from grpc_health.v1 import health_pb2 as pb

from saccade_server.errors import NotFound
from saccade_server.registry import Registry
from saccade_server.services.call import Call, Method

STALL_S = 30.0
"""Without progress for this long while work waits, a model counts as stuck."""

_Status = pb.HealthCheckResponse.ServingStatus
SERVING = pb.HealthCheckResponse.SERVING
NOT_SERVING = pb.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = pb.HealthCheckResponse.SERVICE_UNKNOWN


class HealthService:
    """Says who can be sent requests; the probes over HTTP ask it too.

    Args:
        registry: Of the models.
        services: Full names of the services on offer.
        any_model: Whether one model that answers makes the server ready; else it takes all.
        poll_s: Seconds between two looks of a Watch.
    """

    def __init__(
        self,
        registry: Registry,
        services: list[str],
        *,
        any_model: bool = False,
        poll_s: float = 0.2,
    ) -> None:
        self._registry = registry
        self._services = {"", *services}
        self._any_model = any_model
        self._poll_s = poll_s
        self._draining = False

    @property
    def ready(self) -> bool:
        """Whether the server as a whole can be sent requests."""
        return self.status("") == int(SERVING)

    def drain(self) -> None:
        """From now on nothing is serving: load balancers should go elsewhere."""
        self._draining = True

    def status(self, service: str) -> int:
        """The status of one name."""
        models = self._registry.models
        if service not in self._services and service not in models:
            return int(SERVICE_UNKNOWN)
        if self._draining:
            return int(NOT_SERVING)
        good = self._enough_answer() if service in self._services else self._answers(service)
        return int(SERVING if good else NOT_SERVING)

    def methods(self) -> list[Method]:
        """The methods, for a transport."""
        prefix = f"/{pb.DESCRIPTOR.services_by_name['Health'].full_name}"
        return [
            Method(
                api="health",
                path=f"{prefix}/Check",
                request=pb.HealthCheckRequest,
                unary=self.check,
                probe=True,
            ),
            Method(
                api="health",
                path=f"{prefix}/Watch",
                request=pb.HealthCheckRequest,
                stream=self.watch,
                probe=True,
            ),
        ]

    async def check(self, request: pb.HealthCheckRequest, call: Call) -> pb.HealthCheckResponse:
        """Answers Check."""
        status = self.status(request.service)
        if status == SERVICE_UNKNOWN:
            raise NotFound(f"no service or model {request.service!r}")
        return pb.HealthCheckResponse(status=status)

    async def watch(
        self, requests: AsyncIterator[pb.HealthCheckRequest], call: Call
    ) -> AsyncIterator[pb.HealthCheckResponse]:
        """Answers Watch: the status now and whenever it changes, until the drain."""
        last = None
        async for request in requests:
            while True:
                draining, status = self._draining, self.status(request.service)
                if status != last:
                    last = status
                    yield pb.HealthCheckResponse(status=status)
                if draining:
                    return  # Left open, it would hold up the end of the process.
                await asyncio.sleep(self._poll_s)

    def _enough_answer(self) -> bool:
        if self._any_model:
            return any(map(self._answers, self._registry.served))
        return self._registry.ready and all(map(self._answers, self._registry.served))

    def _answers(self, model: str) -> bool:
        versions = self._registry.models.get(model, [])
        ready = [version.ready for version in versions if version.ready]
        return any(version.predictor.stalled_s < STALL_S for version in ready)
