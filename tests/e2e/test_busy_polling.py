"""What a server that stays awake for a lone caller costs when the caller is gone."""

import os
import sys
import time
from pathlib import Path

import pytest

from conftest import StartServer
from fixtures.server_process import ServerProcess
from saccade import Client

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def cpu_s(server: ServerProcess) -> float:
    """Processor seconds of a process so far."""
    # The name, in brackets, may hold blanks.
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    before = cpu_s(server)
    time.sleep(1.0)

    assert cpu_s(server) - before < 0.3
