"""Five times what a server can do: it lives, keeps its promises, and is itself again soon after."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from benchmarks.grpc_request import Request
from benchmarks.open_loop import OK, RESOURCE_EXHAUSTED, run_open_loop
from conftest import StartServer
from fixtures.http import read_value
from fixtures.processes import peak_kb, resident_kb
from fixtures.server_process import ServerProcess
from integration.server.failures import retry_after_s
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

TIMES = 5
IMAGES = 64
DEADLINE_S = 2.0
QUEUE_IMAGES = 1024
INFLIGHT = 64
MEMORY_KB = {"grpcio": 450 << 10, "http2": 150 << 10}
"""More than what may be held, with what the allocator keeps of it. gRPC hands a call out only with
its message: it holds those of all streams of all connections, 8 x 256 x 50 KB here, in several
copies; http2 holds those of the requests under way."""

CAPACITY_S = 2.0
PIXELS = pb.Image(pixels=pb.PixelTensor(height=28, width=28, channels=1, data=bytes(784)))
REQUEST = pb.ClassifyRequest(images=[PIXELS] * IMAGES, top_k=1)


class Probe:
    """A caller beside the load: whether those who are refused are told when to come back.

    Attributes:
        advised: Seconds, for each refusal; None where it said nothing.
    """

    def __init__(self, address: str) -> None:
        self.advised: list[float | None] = []
        self._address = address
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def stop(self) -> None:
        """Ends it."""
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        with grpc.insecure_channel(self._address) as channel:
            stub: Any = ImageClassifierStub(channel)
            while not self._ended.wait(0.02):
                try:
                    stub.Classify(REQUEST, timeout=DEADLINE_S)
                except grpc.RpcError as error:
                    refused: Any = error
                    if refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                        self.advised.append(retry_after_s(refused))


def capacity(address: str) -> float:
    """Requests a second that are answered when each caller waits for its answer."""

    async def ask(stub: Any, end: float) -> int:
        answered = 0
        while time.monotonic() < end:
            await stub.Classify(REQUEST, timeout=30)
            answered += 1
        return answered

    async def measure() -> float:
        async with grpc.aio.insecure_channel(address) as channel:
            stub: Any = ImageClassifierStub(channel)
            await stub.Classify(REQUEST, timeout=30)
            end = time.monotonic() + CAPACITY_S
            return sum(await asyncio.gather(*[ask(stub, end) for _ in range(4)])) / CAPACITY_S

    return asyncio.run(measure())


def recover_s(server: ServerProcess) -> float:
    """Seconds until nothing is left of the load and a request is answered."""
    started = time.monotonic()
    with grpc.insecure_channel(server.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        while time.monotonic() < started + 60:
            left = read_value(server.http, "saccade_queue_images", model="digits")
            left += read_value(server.http, "saccade_inflight_requests")
            try:
                if not left and stub.Classify(REQUEST, timeout=DEADLINE_S).results:
                    return time.monotonic() - started
            except grpc.RpcError:
                continue
    raise AssertionError("it is still overloaded")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("transport", ["grpcio", "http2"])
def test_five_times_its_capacity_does_a_server_no_harm(
    start_server: StartServer, repository: Path, full: bool, transport: str
) -> None:
    """What it admits is in time, the rest is told when to come back; memory stays bounded."""
    server = start_server(
        repository,
        f"--transport={transport}",
        "--engine=litert",
        f"--max-queue-images={QUEUE_IMAGES}",
        f"--max-inflight={INFLIGHT}",
        "--log-level=error",
    )
    server.wait_ready()
    rate = TIMES * capacity(server.grpc)
    before = resident_kb(server.pid)
    probe = Probe(server.grpc)
    intended = np.arange(0, 120 if full else 4, 1 / rate)
    try:
        answers = run_open_loop(
            server.grpc,
            Request(message=REQUEST, images=IMAGES),
            intended,
            deadline_s=DEADLINE_S,
        )
    finally:
        probe.stop()
    recovered = recover_s(server)
    peak = peak_kb(server.pid) - before
    late = read_value(server.http, "saccade_rejected_total", reason="deadline")
    good, refused = (int(np.sum(answers.statuses == code)) for code in (OK, RESOURCE_EXHAUSTED))

    assert (True, True, True, True) == (
        server.running,
        peak <= MEMORY_KB[transport],
        good > 0 and late <= 0.05 * good,
        refused > good,
    ), (peak, good, refused, late, answers.counts())
    assert (True, [], True) == (
        bool(probe.advised),
        [advice for advice in probe.advised if not advice],
        recovered < (2 if full else 20),
    ), recovered
