"""Messages that are wrong in every way.

Each is answered in time, with a code that says whose fault it is; the server goes on as it was.
"""

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import grpc
import pytest

from conftest import StartServer
from fixtures.every_method import Asking, errors_within, every_method, nonsense
from fixtures.hostile_images import seeds
from fixtures.mutations import mutate, told_apart
from fixtures.processes import peak_kb
from fixtures.raw_grpc import conversation
from fixtures.real_requests import real_requests
from fixtures.server_process import ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_server.artifact import read_artifact

SHORT, FULL = 500, 20_000
"""Of each transport."""

BOUND_S = 30.0
"""For an answer; a hundred times what it takes."""

BOUND_KB = 600_000
"""Of the server. A large image that is decoded takes most of it."""

ALLOWED = {
    "OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "PERMISSION_DENIED",
    "UNIMPLEMENTED", "RESOURCE_EXHAUSTED",
}  # fmt: skip
CHANGES = ("Load", "Unload", "ReloadConfigRequest")
"""How the names of methods end that change the models. They come last: the models may be gone."""

CALLERS = 4
"""At once: the server works while the messages are made."""


def payload(random: Random) -> bytes:
    """A damaged image, or what never was one."""
    if random.random() < 0.5:
        return random.randbytes(random.randrange(65))
    return mutate(random.choice(list(seeds().values())), random.getrandbits(32))


def each(send: Callable[[int], None], examples: int) -> None:
    """Calls `send` with each number, several at a time; what it raises ends the test."""

    def call(number: int) -> None:
        with told_apart(number):
            send(number)

    with ThreadPoolExecutor(CALLERS) as pool:
        for _ in pool.map(call, range(examples)):
            pass


class Attacked:
    """A server, and what became of the messages that it was sent."""

    def __init__(self, server: ServerProcess, channel: grpc.Channel, image: bytes) -> None:
        self.server = server
        self.channel = channel
        self.codes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._counting = threading.Lock()
        self._good = pb.ClassifyRequest(images=[pb.Image(encoded=image)])
        self._stub: Any = ImageClassifierStub(channel)

    def send(self, method: Asking, *bodies: bytes) -> None:
        """Calls a method with bytes; takes note of an answer that should not be."""
        started = time.monotonic()
        try:
            answers = method.call(self.channel, *bodies, timeout_s=BOUND_S)
            code = "OK"
            self.wrong += errors_within(method, answers)
        except grpc.RpcError as error:
            call: Any = error
            code = call.code().name
        with self._counting:
            self.codes[code] += 1
        if code not in ALLOWED or time.monotonic() - started > BOUND_S:
            self.wrong.append(f"{method.path}: {code} for {bodies!r}"[:2000])

    def answers(self) -> int:
        """The results that a good request gets."""
        return len(self._stub.Classify(self._good, timeout=BOUND_S).results)


@pytest.fixture(params=["grpcio", "http2"])
def attacked(
    request: pytest.FixtureRequest, start_server: StartServer, repository: Path
) -> Iterator[Attacked]:
    """A server of either transport, which lets callers change its models."""
    server = start_server(
        repository,
        f"--transport={request.param}",
        "--engine=litert",
        "--model-control=explicit",
        "--max-image-pixels=1000000",
    )
    server.wait_ready()
    image = read_artifact(repository / "digits" / "1").golden_samples()[0].image
    with grpc.insecure_channel(server.grpc) as channel:
        yield Attacked(server, channel, image)


@pytest.mark.timeout(1200)
def test_no_message_does_harm(attacked: Attacked, full: bool) -> None:
    """Random bytes, real requests that are damaged, valid messages of nonsense, to every method."""
    methods = every_method(attacked.channel)
    changing = [each for each in methods if each.path.endswith(CHANGES)]
    asking = [each for each in methods if each not in changing]
    real = real_requests(seeds()["JPEG"])
    by_path = {each.path: each for each in methods}

    examples = FULL if full else SHORT
    damage(attacked, {by_path[path]: body for path, body in real.items()}, examples * 4 // 5)
    fuzz(attacked, asking, examples // 5)
    answered = attacked.answers()
    fuzz(attacked, changing, examples // 20)

    assert (1, [], True, True) == (
        answered,
        attacked.wrong,
        attacked.codes["INVALID_ARGUMENT"] > 0,
        peak_kb(attacked.server.pid) < BOUND_KB,
    ), (attacked.codes, peak_kb(attacked.server.pid))
    assert "Traceback" not in attacked.server.log


@pytest.mark.timeout(1200)
def test_no_frames_do_harm(attacked: Attacked, full: bool) -> None:
    """Conversations whose bytes are changed anywhere, in HTTP/2 or gRPC."""
    memory = peak_kb(attacked.server.pid)
    whole = [conversation(path, body) for path, body in real_requests(seeds()["GIF"]).items()]
    host, _, port = attacked.server.grpc.rpartition(":")

    def send(number: int) -> None:
        connection = socket.create_connection((host, int(port)), timeout=BOUND_S)
        with connection, contextlib.suppress(ConnectionError):
            connection.sendall(mutate(whole[number % len(whole)], number))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 16):
                pass

    each(send, (FULL if full else SHORT) // 2)

    assert (1, True) == (
        attacked.answers(),
        peak_kb(attacked.server.pid) < memory + BOUND_KB // 4,
    )
    assert "Traceback" not in attacked.server.log


def fuzz(attacked: Attacked, methods: list[Asking], examples: int) -> None:
    """Sends random bytes, and valid messages of nonsense."""

    def body(method: Asking, random: Random) -> bytes:
        if random.random() < 0.5:
            return random.randbytes(random.randrange(101))
        return nonsense(method.request, random, payload)

    def send(number: int) -> None:
        random = Random(number)
        method = random.choice(methods)
        count = random.randint(1, 3) if method.streams_requests else 1
        attacked.send(method, *(body(method, random) for _ in range(count)))

    each(send, examples)


def damage(attacked: Attacked, real: dict[Asking, bytes], examples: int) -> None:
    """Sends real requests with some bytes changed."""
    methods = list(real)

    def send(number: int) -> None:
        method = methods[number % len(methods)]
        attacked.send(method, mutate(real[method], number))

    each(send, examples)
