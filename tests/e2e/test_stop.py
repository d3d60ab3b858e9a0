"""How a server ends: what was begun is answered, and the process says 0."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from conftest import StartServer
from fixtures.http import get, wait_value
from fixtures.server_process import ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

REQUESTS = 8
IMAGES = 256
PIXELS = pb.Image(pixels=pb.PixelTensor(height=28, width=28, channels=1, data=bytes(784)))
SMALL = pb.ClassifyRequest(images=[PIXELS], top_k=1)
LARGE = pb.ClassifyRequest(images=[PIXELS] * IMAGES, top_k=1)

QUICKLY_S = 10.0
"""Bound for an end that nothing holds up; the drain's own bound is twice as long."""

# What a call that comes too late fails with. gRPC's core cancels those that it has on the wire, but
# has yet to hand out, when it is told to end.
TOO_LATE = {
    "grpcio": {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED},
    "http2": {grpc.StatusCode.UNAVAILABLE},
}

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


@pytest.fixture(params=TOO_LATE)
def transport(request: pytest.FixtureRequest) -> str:
    """What speaks gRPC."""
    return str(request.param)


@pytest.fixture
def ready(start_server: StartServer, repository: Path, transport: str) -> ServerProcess:
    """A server of the test's own. Image by image, it takes its time; its queue takes all."""
    server = start_server(
        repository,
        f"--transport={transport}",
        "--max-batch-images=1",
        "--max-queue-images=100000",
    )
    server.wait_ready()
    return server


@SIGNALS
def test_requests_under_way_are_answered(ready: ServerProcess, number: signal.Signals) -> None:
    """All of them, though the signal came while they waited; then the process ends well."""
    with grpc.insecure_channel(ready.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        calls = [stub.Classify.future(LARGE, timeout=60) for _ in range(REQUESTS)]
        wait_value(ready.http, REQUESTS, "saccade_inflight_requests")
        ready.send(number)
        answered = [len(call.result().results) for call in calls]

    assert ([IMAGES] * REQUESTS, 0) == (answered, ready.wait())


@SIGNALS
def test_callers_that_go_on_are_sent_elsewhere(
    ready: ServerProcess, transport: str, number: signal.Signals
) -> None:
    """Each request is answered or refused before it was begun; the process ends in time."""
    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(call_until_refused, ready.grpc) for _ in range(4)]
        wait_value(
            ready.http, 50, "saccade_requests_total",
            api="saccade", method="Classify", model="digits", code="OK",
        )  # fmt: skip
        started = time.monotonic()
        ready.send(number)
        code = ready.wait()
        took_s = time.monotonic() - started
        refusals = {caller.result() for caller in callers}

    assert (0, set(), True) == (
        code,
        refusals - TOO_LATE[transport],
        took_s < QUICKLY_S,
    )


def call_until_refused(address: str) -> grpc.StatusCode:
    """Sends requests one after the other; the code of the first that fails."""
    with grpc.insecure_channel(address) as channel:
        stub: Any = ImageClassifierStub(channel)
        while True:
            try:
                stub.Classify(SMALL, timeout=30)
            except grpc.RpcError as error:
                code: grpc.StatusCode = error.code()
                return code


@SIGNALS
def test_an_idle_server_ends_at_once(ready: ServerProcess, number: signal.Signals) -> None:
    """Nothing holds it up; an open Watch is told, and does not either."""
    with grpc.insecure_channel(ready.grpc) as channel:
        watch = HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        first = next(watch).status
        started = time.monotonic()
        ready.send(number)
        last = next(watch).status
        code = ready.wait()

    assert (1, 2, 0, True) == (first, last, code, time.monotonic() - started < QUICKLY_S)


@SIGNALS
def test_an_open_stream_that_asks_nothing_is_ended(
    ready: ServerProcess, number: signal.Signals
) -> None:
    """Its caller is told to go elsewhere, and holds nothing up."""
    going_on = threading.Event()

    def one_request() -> Iterator[pb.ClassifyRequest]:
        yield SMALL
        going_on.wait(60)

    with grpc.insecure_channel(ready.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        stream = stub.ClassifyStream(one_request(), timeout=60)
        next(stream)
        started = time.monotonic()
        ready.send(number)
        with pytest.raises(grpc.RpcError):
            next(stream)
        code = ready.wait()
        going_on.set()

    assert (grpc.StatusCode.UNAVAILABLE, 0, True) == (
        stream.code(),
        code,
        time.monotonic() - started < QUICKLY_S,
    )


def test_a_server_that_lingers_still_answers(start_server: StartServer, repository: Path) -> None:
    """After SIGTERM it says that it is not ready, and answers until others have noticed."""
    server = start_server(repository, "--linger-s=3")
    server.wait_ready()
    with grpc.insecure_channel(server.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        stub.Classify(SMALL, timeout=20)
        server.send(signal.SIGTERM)
        while get(server.http, "/readyz")[0] == 200:
            time.sleep(0.01)
        answer = stub.Classify(SMALL, timeout=20)

    assert (1, (200, "ok\n"), 0) == (
        len(answer.results),
        get(server.http, "/livez"),
        server.wait(),
    )


def test_at_a_terminal_there_is_no_linger(start_server: StartServer, repository: Path) -> None:
    """Ctrl-C comes from a person, who has noticed."""
    server = start_server(repository, "--linger-s=60")
    server.wait_ready()
    started = time.monotonic()
    server.send(signal.SIGINT)

    assert (0, True) == (server.wait(), time.monotonic() - started < QUICKLY_S)


@SIGNALS
def test_a_second_signal_ends_the_process_at_once(
    start_server: StartServer, repository: Path, number: signal.Signals
) -> None:
    """Whoever asks twice does not want to wait; the signal itself is the exit."""
    server = start_server(repository, "--linger-s=60")
    server.wait_ready()
    server.send(signal.SIGTERM)
    while get(server.http, "/readyz")[0] == 200:
        time.sleep(0.01)
    started = time.monotonic()
    server.send(number)

    assert (-number, True) == (server.wait(), time.monotonic() - started < 3)
