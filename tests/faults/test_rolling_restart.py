"""Replicas that are restarted one after the other while clients ask: no request fails."""

import signal
import sys
from pathlib import Path

import pytest

from conftest import StartServer
from fixtures.callers import Callers
from saccade_server.artifact import read_artifact

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs several loopback addresses")

HOSTS = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
"""An address for each replica: while one is away, nobody else takes its port."""

SETTLE_S = 1.0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("transport", ["grpcio", "http2"])
def test_a_rolling_restart_fails_no_request(
    start_server: StartServer, repository: Path, artifact: Path, full: bool, transport: str
) -> None:
    """Each gets SIGTERM, ends with 0 and is started anew; the clients go round the others."""
    flags = (f"--transport={transport}", "--engine=litert", "--linger-s=0.5")
    replicas = [start_server(repository, *flags, f"--host={host}") for host in HOSTS]
    for replica in replicas:
        replica.wait_ready()
    addresses = [replica.grpc for replica in replicas]
    image = read_artifact(artifact).golden_samples()[0].image
    codes = []
    with Callers("ipv4:" + ",".join(addresses), image) as callers:
        callers.wait(SETTLE_S)
        for _ in range(3 if full else 1):
            for number, host in enumerate(HOSTS):
                replicas[number].send(signal.SIGTERM)
                codes.append(replicas[number].wait())
                port = addresses[number].rpartition(":")[2]
                replicas[number] = start_server(
                    repository, *flags, f"--host={host}", f"--grpc-port={port}"
                )
                replicas[number].wait_ready()
                callers.wait(SETTLE_S)

    assert ([], {0}, True) == (callers.failed, set(codes), callers.answered > 0)
