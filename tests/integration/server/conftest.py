"""Servers on real sockets: one inside the test's process, whose engine the test controls."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from fixtures.in_process import InProcessServer
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_server.config import ServerConfig

TRANSPORTS = next(item for item in fields(ServerConfig) if item.name == "transport").metadata[
    "choices"
]

StartInProcess = Callable[..., Awaitable[InProcessServer]]


@pytest.fixture(params=TRANSPORTS)
async def start_in_process(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[StartInProcess]:
    """Starts servers with settings of a test's own, by each transport in turn; ends them."""
    servers: list[InProcessServer] = []

    async def start(*, loaded: bool = True, known: bool = True, **settings: Any) -> InProcessServer:
        folder = tmp_path / f"repository-{len(servers)}"
        folder.mkdir()
        servers.append(InProcessServer(folder, transport=request.param, **settings))
        await servers[-1].start(loaded=loaded, known=known)
        return servers[-1]

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def tiny(start_in_process: StartInProcess) -> InProcessServer:
    """A server in this process: batches of 4, a queue of 8, requests of at most 16 images."""
    return await start_in_process()


@pytest.fixture
async def tiny_channel(tiny: InProcessServer) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to it."""
    async with grpc.aio.insecure_channel(tiny.address) as channel:
        yield channel


@pytest.fixture
def stub(tiny_channel: grpc.aio.Channel) -> Any:
    """The native API of that server, asynchronous."""
    return ImageClassifierStub(tiny_channel)
