"""Workers that are killed under load: the others serve on, and the sums go on counting."""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import StartServer
from fixtures.callers import Callers
from fixtures.http import read_value
from fixtures.processes import children
from fixtures.server_process import READY_S, ServerProcess
from saccade_server.artifact import read_artifact

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, shares ports")

WORKERS = 2
LISTENS = "0A"
"""The state of a socket in /proc/net/tcp."""

ANSWERED = {"api": "saccade", "method": "Classify", "model": "digits", "code": "OK"}


def listening(server: ServerProcess) -> int:
    """How many workers take connections: each has a socket of its own on the shared port."""
    port = f":{int(server.grpc.rpartition(':')[2]):04X}"
    text = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    rows = [line.split() for line in text.splitlines()]
    return sum(row[1].endswith(port) and row[3] == LISTENS for row in rows)


def scrape(server: ServerProcess, seen: list[float]) -> None:
    """Reads the sum; one that was on its way to a worker that dies gets none."""
    with suppress(OSError):
        seen.append(read_value(server.http, "saccade_requests_total", **ANSWERED))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("transport", ["grpcio", "http2"])
def test_a_worker_that_is_killed_fails_no_request(
    start_server: StartServer, repository: Path, artifact: Path, full: bool, transport: str
) -> None:
    """The client asks again and finds another one; no scrape shows less than the one before."""
    server = start_server(
        repository, f"--workers={WORKERS}", f"--transport={transport}", "--engine=litert"
    )
    server.wait_ready()
    image = read_artifact(artifact).golden_samples()[0].image
    seen: list[float] = []
    with Callers(server.grpc, image, attempts=20) as callers:
        for _ in range(10 if full else 2):
            callers.wait(0.5)
            scrape(server, seen)
            victim = min(children(server.pid))
            os.kill(victim, signal.SIGKILL)
            end = time.monotonic() + READY_S
            while victim in children(server.pid) or listening(server) < WORKERS:
                assert time.monotonic() < end, server.log
                scrape(server, seen)
    scrape(server, seen)

    assert ([], sorted(seen), True) == (callers.failed, seen, callers.answered > 0)
