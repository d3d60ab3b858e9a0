"""Several worker processes behind one pair of ports."""

import os
import re
import signal
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from conftest import StartServer
from fixtures.processes import children
from fixtures.server_process import READY_S, ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, shares ports")

WORKERS = 2
REQUESTS = 24
BLANK = pb.Image(pixels=pb.PixelTensor(height=28, width=28, channels=1, data=bytes(784)))


@pytest.fixture(params=["grpcio", "http2"])
def family(
    request: pytest.FixtureRequest, start_server: StartServer, repository: Path
) -> ServerProcess:
    """A server of two workers."""
    server = start_server(repository, f"--workers={WORKERS}", f"--transport={request.param}")
    server.wait_ready()
    return server


def classify(server: ServerProcess) -> None:
    """One request over a connection of its own."""
    with grpc.insecure_channel(
        server.grpc, options=[("grpc.use_local_subchannel_pool", 1)]
    ) as channel:
        ImageClassifierStub(channel).Classify(pb.ClassifyRequest(images=[BLANK]), timeout=30)


def answered(server: ServerProcess) -> float:
    """Requests answered by all workers, as any of them tells it."""
    with urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10) as response:
        text = response.read().decode()
    found = re.search(r"^saccade_requests_total{.*Classify.*} (.*)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def wait_for_workers(server: ServerProcess, others_than: int) -> set[int]:
    """Waits until there are as many workers as asked for, without a certain one."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        workers = children(server.pid)
        if len(workers) == WORKERS and others_than not in workers:
            return workers
        time.sleep(0.05)
    raise AssertionError(f"workers: {children(server.pid)}")


def test_a_scrape_counts_the_requests_of_all_workers(family: ServerProcess) -> None:
    """Connections are spread over the workers; whichever answers /metrics knows the sum."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: classify(family), range(REQUESTS)))

    assert [REQUESTS] * 4 == [answered(family) for _ in range(4)]


def test_a_worker_that_dies_is_replaced(family: ServerProcess) -> None:
    """The parent starts another one in its place, and requests are answered."""
    victim = min(children(family.pid))
    os.kill(victim, signal.SIGKILL)
    workers = wait_for_workers(family, victim)
    classify(family)

    assert WORKERS == len(workers)


def test_the_sums_outlive_a_worker(family: ServerProcess) -> None:
    """Prometheus would take a sum that falls for a server that began anew."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: classify(family), range(REQUESTS)))
    seen = [answered(family)]
    victim = min(children(family.pid))
    os.kill(victim, signal.SIGKILL)
    while len(children(family.pid) - {victim}) < WORKERS:
        # A scrape that was on its way to the dead worker fails, as any of its connections.
        with suppress(OSError):
            seen.append(answered(family))
    classify(family)
    seen.append(answered(family))

    assert ([REQUESTS] * (len(seen) - 1), REQUESTS + 1) == (seen[:-1], seen[-1])


def test_workers_end_with_their_parent(family: ServerProcess) -> None:
    """Even one that is killed and can tell them nothing."""
    workers = children(family.pid)
    family.kill()
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and any(Path(f"/proc/{pid}").exists() for pid in workers):
        time.sleep(0.05)

    assert [] == [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_a_server_whose_workers_cannot_start_ends(
    start_server: StartServer, tmp_path: Path
) -> None:
    """Without a model the workers refuse to start, and so does the server, with their code."""
    (tmp_path / "empty").mkdir()
    server = start_server(tmp_path / "empty", f"--workers={WORKERS}")

    assert 2 == server.wait()
