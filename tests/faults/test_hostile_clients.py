"""Callers that send too much, too slowly, or too often: their neighbours do not notice."""

import gzip
import http.client
import io
import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import grpc
import pytest

from conftest import StartServer
from fixtures.http import get
from fixtures.processes import peak_kb
from fixtures.raw_grpc import RawCall
from fixtures.server_process import ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

PIXELS = pb.Image(pixels=pb.PixelTensor(height=28, width=28, channels=1, data=bytes(784)))
MAX_MESSAGE_MB, RECEIVE_S = 8, 2

BOUND_S = 60.0
"""For what takes some seconds."""

BOUND_KB = 700_000
"""Of the server; 100,000 of it are for the model and the libraries."""

GIGABYTE = 1 << 30
SHORT_BOMB = 200 << 20
INFER, PREDICT = "/v2/models/digits/infer", "/v1/models/digits:predict"

EXHAUSTED, DEADLINE = "8", "4"


class Neighbour:
    """Asks all the while, by gRPC and HTTP, and keeps what went wrong."""

    def __init__(self, server: ServerProcess) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self._server = server
        self._going_on = threading.Event()
        self._going_on.set()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def stop(self) -> None:
        """Asks a few times more, and ends."""
        least = self.answered + 3
        end = time.monotonic() + BOUND_S
        while self.answered < least and not self.failed and time.monotonic() < end:
            time.sleep(0.02)
        self._going_on.clear()
        self._thread.join()

    def _ask(self) -> None:
        with grpc.insecure_channel(self._server.grpc) as channel:
            stub: Any = ImageClassifierStub(channel)
            while self._going_on.is_set():
                try:
                    stub.Classify(pb.ClassifyRequest(images=[PIXELS]), timeout=BOUND_S)
                    assert (200, "ok\n") == get(self._server.http, "/readyz")
                except (grpc.RpcError, OSError, AssertionError) as error:
                    self.failed.append(repr(error))
                self.answered += 1
                time.sleep(0.01)


@pytest.fixture(params=["grpcio", "http2"], scope="module")
def server(
    request: pytest.FixtureRequest, repository: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server of either transport with small limits; it must end with 0."""
    process = ServerProcess(
        repository,
        f"--transport={request.param}",
        "--engine=litert",
        f"--max-message-mb={MAX_MESSAGE_MB}",
        f"--receive-s={RECEIVE_S}",
        log=tmp_path_factory.mktemp("server") / "log",
    )
    try:
        process.wait_ready()
        yield process
        assert 0 == process.stop(), process.log
        assert "Traceback" not in process.log, process.log
    finally:
        process.kill()


@pytest.fixture(autouse=True)
def neighbour(server: ServerProcess) -> Iterator[Neighbour]:
    """A good caller beside the bad one, who must always succeed; and memory stays bounded."""
    asking = Neighbour(server)
    try:
        yield asking
    finally:
        asking.stop()
    assert [] == asking.failed
    assert peak_kb(server.pid) < BOUND_KB


def zeros(size: int) -> Iterator[bytes]:
    """So many bytes, never all at once."""
    part = bytes(1 << 20)
    for at in range(0, size, len(part)):
        yield part[: size - at]


@cache
def bomb(size: int) -> bytes:
    """A gzip file that becomes so many bytes."""
    packed = io.BytesIO()
    with gzip.open(packed, "wb", compresslevel=9) as file:
        for part in zeros(size):
            file.write(part)
    return packed.getvalue()


def post(
    address: str, path: str, body: Any, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """The status and the body of an answer; 0 if the connection was closed before it came."""
    connection = http.client.HTTPConnection(address, timeout=BOUND_S)
    try:
        connection.request("POST", path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (ConnectionError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def prefix(size: int, *, packed: bool = False) -> bytes:
    """What goes before a message."""
    return bytes((packed,)) + size.to_bytes(4, "big")


def test_a_message_of_a_gigabyte_is_refused(server: ServerProcess) -> None:
    """At its beginning; nobody waits for its end."""
    call = RawCall(server.grpc)
    call.send([prefix(GIGABYTE), *zeros(32 << 20)], end=False)
    status = call.wait()
    call.close()

    assert EXHAUSTED == status


@pytest.mark.parametrize("headers", [{"Content-Length": str(GIGABYTE)}, {}])
def test_a_body_of_a_gigabyte_is_refused(server: ServerProcess, headers: dict[str, str]) -> None:
    """Whether its length is told or not."""
    status, _ = post(server.http, INFER, zeros(GIGABYTE), headers)

    assert status in (0, 413)


def test_a_compressed_message_is_refused_before_it_is_a_gigabyte(
    server: ServerProcess, full: bool
) -> None:
    """A megabyte would become one."""
    packed = bomb(GIGABYTE if full else SHORT_BOMB)
    call = RawCall(server.grpc, ("grpc-encoding", "gzip"))
    call.send([prefix(len(packed), packed=True), packed])
    status = call.wait()
    call.close()

    assert EXHAUSTED == status


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
def test_a_compressed_body_is_refused_before_it_is_a_gigabyte(
    server: ServerProcess, encoding: str, full: bool
) -> None:
    """Packed twice, it is not unpacked at all."""
    packed = bomb(GIGABYTE if full else SHORT_BOMB)
    if "," in encoding:
        packed = gzip.compress(packed)
    status, _ = post(server.http, INFER, packed, {"Content-Encoding": encoding})

    assert status in (400, 413)


def json_tensor(data: str, shape: str = "[1,28,28,1]") -> str:
    """A request of numbers."""
    return f'{{"inputs":[{{"name":"images","datatype":"FP32","shape":{shape},"data":{data}}}]}}'


JSON_BOMBS: dict[str, tuple[str, Callable[[], str]]] = {
    "lists in lists": (INFER, lambda: json_tensor("[" * 100_000 + "]" * 100_000)),
    "lists in lists in rows": (PREDICT, lambda: '{"instances":' + "[" * 900 + "]" * 900 + "}"),
    "millions of numbers": (INFER, lambda: json_tensor("[" + "0," * 3_900_000 + "0]")),
    "millions of lists": (PREDICT, lambda: '{"instances":[' + "[]," * 2_600_000 + "[]]}"),
    "one long text among many": (
        INFER,
        lambda: json_tensor(json.dumps(["x" * 3_000_000] + ["y"] * 900_000)),
    ),
    "one long text among many rows": (
        PREDICT,
        lambda: json.dumps({"instances": ["x" * 3_000_000] + ["y"] * 900_000}),
    ),
    "a number of many digits": (INFER, lambda: json_tensor("[" + "9" * 1_000_000 + "]")),
    "numbers of many digits": (INFER, lambda: json_tensor("[" + ("9" * 4000 + ",") * 1000 + "0]")),
    "no numbers": (INFER, lambda: json_tensor("[NaN" + ",Infinity" * 783 + "]")),
    "a number beyond all": (PREDICT, lambda: '{"instances":[1e999]}'),
    "a shape beyond all": (INFER, lambda: json_tensor("[1]", "[9223372036854775807,28,28,1]")),
    "names that come twice": (INFER, lambda: '{"inputs":[],"inputs":[],"id":"a","id":1}'),
    "half a character in a name": (PREDICT, lambda: '{"signature_name":"\\ud800","inputs":[1]}'),
    "half a character in a feature": (
        "/v1/models/digits:classify",
        lambda: '{"examples":[{"\\udfff":1}]}',
    ),
}


@pytest.mark.parametrize("name", JSON_BOMBS)
def test_json_that_is_a_bomb_is_refused(server: ServerProcess, name: str) -> None:
    """With a text; and no time or memory is lost on it."""
    path, make = JSON_BOMBS[name]
    status, said = post(server.http, path, make())

    assert (400, ["error"]) == (status, list(json.loads(said))), said[:300]


def trickle(send: Callable[[bytes], None], ended: Callable[[], str]) -> tuple[str, float]:
    """Sends a byte at a time until the other side has had enough; how it ended, and when."""
    started = time.monotonic()
    status = ""
    while not status and time.monotonic() < started + BOUND_S:
        send(b"\0")
        status = ended()
    return status, time.monotonic() - started


def test_a_message_byte_by_byte_is_given_up(server: ServerProcess) -> None:
    """It has a time to come whole, however lively it is."""
    call = RawCall(server.grpc)
    call.send([prefix(1000)], end=False)
    status, _ = trickle(lambda byte: _ignore(call.send([byte], end=False)), lambda: call.wait(0.1))
    call.close()

    assert DEADLINE == status


def test_a_body_byte_by_byte_is_given_up(server: ServerProcess) -> None:
    """Its connection is closed."""
    with _connect(server.http) as connection:
        head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode())
        status, _ = trickle(connection.sendall, lambda: _ended(connection, 0.1))

    assert "closed" == status


def test_a_head_that_does_not_come_is_given_up(server: ServerProcess, full: bool) -> None:
    """Neither who says nothing is waited for, nor who says it byte by byte, on either port."""
    if not full:
        pytest.skip("takes as long as a handshake may: with --full")
    firsts = [
        (server.grpc, b""),
        (server.grpc, b"PRI * HTTP/2.0\r\n"),
        (server.http, b""),
        (server.http, b"GET /livez HTTP/1.1\r\nX: "),
    ]

    def begin(address: str, first: bytes) -> tuple[str, bool]:
        with _connect(address) as connection:
            connection.sendall(first)
            send = connection.sendall if first else _ignore
            status, spent_s = trickle(send, lambda: _ended(connection, 0.3))
        return status, spent_s < BOUND_S

    with ThreadPoolExecutor(len(firsts)) as pool:
        ended = list(pool.map(begin, *zip(*firsts, strict=True)))

    assert [("closed", True)] * len(firsts) == ended


def test_a_flood_of_connections_leaves_room_for_others(server: ServerProcess, full: bool) -> None:
    """Those who are connected are served on; over HTTP those who come anew, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(3000 if full else 700, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * count + 500), hard))
    flood: list[socket.socket] = []
    try:
        for number in range(count):
            for address in (server.http, server.grpc):
                flood.append(_connect(address))
                if number % 2:
                    flood[-1].sendall(b"P")
        probed = get(server.http, "/readyz")
    finally:
        for each in flood:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert (200, "ok\n") == probed


def test_a_flood_finds_files_left(start_server: StartServer, repository: Any) -> None:
    """However few the process was begun with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        server = start_server(repository, "--engine=litert")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    server.wait_ready()
    given, _ = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)

    assert min(65_536, hard) == given


def _connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=BOUND_S)


def _ended(connection: socket.socket, timeout_s: float) -> str:
    """The word closed, once the other side has closed the connection."""
    connection.settimeout(timeout_s)
    try:
        while connection.recv(1 << 16):
            pass
    except TimeoutError:
        return ""
    except OSError:
        return "closed"
    finally:
        connection.settimeout(BOUND_S)
    return "closed"


def _ignore(_: object) -> None:
    pass
