"""What a server that stays awake for a lone caller costs when the caller is gone."""

import sys
import time
from pathlib import Path

import pytest

from benchmarks.contenders import cpu_s
from conftest import StartServer
from saccade import Client

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize("transport", ["grpcio", "http2"])
def test_a_server_sleeps_when_its_lone_caller_has_gone(
    start_server: StartServer, repository: Path, artifact: Path, transport: str
) -> None:
    """It waits for the next request for as long as it was told, a tenth of a second at most."""
    server = start_server(repository, f"--transport={transport}", "--busy-poll-s=0.1")
    server.wait_ready()
    image = (artifact / "assets.extra/golden/3.png").read_bytes()
    with Client(server.grpc) as client:
        for _ in range(50):
            client.classify(image)
    time.sleep(0.3)
    before = cpu_s(server.pid)
    time.sleep(1.0)

    assert cpu_s(server.pid) - before < 0.3
