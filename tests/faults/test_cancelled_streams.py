"""Callers who cancel their streams where the processors are taken: each is counted as gone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from fixtures.in_process import InProcessServer, request
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

SHORT, FULL = 150, 3000

LABELS = {"api": "saccade", "method": "ClassifyStream", "model": "tiny"}


@pytest.fixture
def neighbours() -> Iterator[None]:
    """Processes that leave the server no processor to itself."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    yield
    for each in busy:
        each.kill()
        each.wait()


@pytest.mark.usefixtures("neighbours")
@pytest.mark.parametrize("transport", ["grpcio", "http2"])
async def test_a_caller_that_goes_is_not_taken_for_one_that_has_sent_all(
    tmp_path: Path, transport: str, full: bool
) -> None:
    """To gRPC its requests end the same way, sometimes before it tells that the caller has gone."""
    streams = FULL if full else SHORT
    server = InProcessServer(tmp_path, transport=transport)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            stub: Any = ImageClassifierStub(channel)
            for count in range(1, streams + 1):
                stream = stub.ClassifyStream(timeout=20)
                await stream.write(request(0))
                await stream.read()
                stream.cancel()
                await server.reach(count, "saccade_requests_total", **LABELS, code="CANCELLED")
    finally:
        await server.stop()
