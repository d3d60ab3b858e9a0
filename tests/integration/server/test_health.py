"""The standard health service, by its own stubs."""

from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1.health_pb2_grpc import HealthStub

from fixtures.in_process import InProcessServer
from integration.server.conftest import StartInProcess
from integration.server.failures import failure

API = "saccade.v1.ImageClassifier"
SERVING = pb.HealthCheckResponse.SERVING
NOT_SERVING = pb.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = pb.HealthCheckResponse.SERVICE_UNKNOWN


@pytest.fixture
def health(tiny_channel: Any) -> Any:
    """The health service of a server that is up."""
    return HealthStub(tiny_channel)


@pytest.mark.parametrize("service", ["", API, "tiny"])
async def test_check_says_that_it_serves(health: Any, service: str) -> None:
    """The server, the API, the model."""
    answer = await health.Check(pb.HealthCheckRequest(service=service), timeout=20)

    assert SERVING == answer.status


async def test_check_of_an_unknown_name_is_not_found(health: Any) -> None:
    """As the protocol asks."""
    call = health.Check(pb.HealthCheckRequest(service="dogs"), timeout=20)

    assert ("NOT_FOUND", "no service or model 'dogs'") == await failure(call)


@pytest.mark.parametrize("service", ["", API, "tiny"])
async def test_check_says_that_a_draining_server_does_not_serve(
    health: Any, tiny: InProcessServer, service: str
) -> None:
    """While it still answers."""
    tiny.health.drain()
    answer = await health.Check(pb.HealthCheckRequest(service=service), timeout=20)

    assert NOT_SERVING == answer.status


async def test_watch_tells_when_a_model_is_up(start_in_process: StartInProcess) -> None:
    """A client that came too early need not ask again."""
    server = await start_in_process(loaded=False)
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub: Any = HealthStub(channel)
        seen = stub.Watch(pb.HealthCheckRequest(), timeout=20)
        first = (await seen.read()).status
        server.may_load.set()
        second = (await seen.read()).status
        seen.cancel()

    assert [NOT_SERVING, SERVING] == [first, second]


async def test_watch_of_an_unknown_name_says_so(health: Any) -> None:
    """Without an error: the name may appear."""
    seen = health.Watch(pb.HealthCheckRequest(service="dogs"), timeout=20)
    answer = await seen.read()
    seen.cancel()

    assert SERVICE_UNKNOWN == answer.status


async def test_watch_ends_with_the_drain(health: Any, tiny: InProcessServer) -> None:
    """After the last word: it must not hold up the end of the server."""
    statuses = []
    async for answer in health.Watch(pb.HealthCheckRequest(), timeout=20):
        statuses.append(answer.status)
        tiny.health.drain()

    assert [SERVING, NOT_SERVING] == statuses
