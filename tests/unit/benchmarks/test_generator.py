"""The generator in C against a peer that the test plays on a real socket."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import hpack
import numpy as np
import pytest

from benchmarks import frames
from benchmarks.connection import UNAVAILABLE
from benchmarks.frames import Frame
from benchmarks.generator import build_generator, run_generator
from benchmarks.grpc_request import Request
from benchmarks.open_loop import DEADLINE_EXCEEDED, OK, RESOURCE_EXHAUSTED, Answers
from saccade.v1 import classifier_pb2 as pb

SMALL = Request(message=pb.ClassifyRequest(request_id="1"), images=1)
LARGE = Request(message=pb.ClassifyRequest(request_id="1" * 100_000), images=1)
WAIT_S = 10


@dataclass
class Peer:
    """The other end of one connection."""

    socket: socket.socket
    _left: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """Reads the preface, the settings and the window of the connection."""
        self.socket.settimeout(WAIT_S)
        assert frames.PREFACE == self.socket.recv(len(frames.PREFACE), socket.MSG_WAITALL)
        assert [frames.SETTINGS, frames.WINDOW_UPDATE] == [each.kind for each in self.arrived(2)]

    def arrived(self, count: int) -> list[Frame]:
        """The next frames; waits for as many."""
        found, self._left = frames.split_frames(self._left)
        while len(found) < count:
            data = self.socket.recv(1 << 20)
            assert data, "the generator has hung up"
            some, self._left = frames.split_frames(self._left + data)
            found += some
        more = b"".join(frames.encode_frame(*each) for each in found[count:])
        self._left = more + self._left
        return found[:count]

    def send(self, kind: int, flags: int, stream: int, payload: bytes = b"") -> None:
        """Sends a frame."""
        self.socket.sendall(frames.encode_frame(kind, flags, stream, payload))

    def end(self, stream: int, status: int, *, huffman: bool = False) -> None:
        """Sends trailers."""
        headers = [("grpc-message", "later"), ("grpc-status", str(status))]
        block = hpack.Encoder().encode(headers, huffman=huffman)
        self.send(frames.HEADERS, frames.END_STREAM | frames.END_HEADERS, stream, block)


Run = Callable[..., Future[Answers]]
"""Starts the program against the test's port; its requests leave at the times given."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled."""
    found = build_generator(tmp_path_factory.mktemp("generator"))
    if found is None:
        pytest.skip("there is no C compiler (cc)")
    return found


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(WAIT_S)
        yield listening


@pytest.fixture
def run(program: Path, server: socket.socket) -> Iterator[Run]:
    """See `Run`."""
    address = f"127.0.0.1:{server.getsockname()[1]}"
    with ThreadPoolExecutor(1) as pool:

        def start(
            request: Request,
            *times: float,
            connections: int = 1,
            deadline_s: float | None = None,
        ) -> Future[Answers]:
            return pool.submit(
                run_generator, program, address, request, np.array(times),
                connections=connections, deadline_s=deadline_s,
            )  # fmt: skip

        yield start


@pytest.fixture
def accept(server: socket.socket) -> Iterator[Callable[[], Peer]]:
    """The peer of the next connection."""
    accepted = []

    def accept() -> Peer:
        accepted.append(server.accept()[0])
        return Peer(accepted[-1])

    yield accept
    for each in accepted:
        each.close()


def sent_bytes(found: list[Frame]) -> int:
    """Of bodies."""
    return sum(len(frame.payload) for frame in found if frame.kind == frames.DATA)


def test_each_request_has_the_status_of_its_answer(run: Run, accept: Callable[[], Peer]) -> None:
    """In the order of the timetable, whichever is answered first."""
    running = run(SMALL, 0.0, 0.001, 0.002)
    peer = accept()
    peer.arrived(6)
    for stream, status in ((5, 14), (1, OK), (3, RESOURCE_EXHAUSTED)):
        peer.end(stream, status)
    answers = running.result()

    assert [OK, RESOURCE_EXHAUSTED, 14] == answers.statuses.tolist()
    assert np.all(answers.intended <= answers.sent)
    assert np.all(answers.sent <= answers.ended)
    assert answers.cpu_s > 0


def test_a_request_is_sent_as_it_is(run: Run, accept: Callable[[], Peer]) -> None:
    """Its headers, its deadline among them, and its body."""
    running = run(SMALL, 0.0, deadline_s=5.0)
    peer = accept()
    head, body = peer.arrived(2)
    peer.end(1, OK)
    running.result()
    headers = dict(hpack.Decoder().decode(head.payload, raw=True))

    assert (SMALL.api.path.encode(), b"5000000u") == (headers[b":path"], headers[b"grpc-timeout"])
    assert Frame(frames.DATA, frames.END_STREAM, 1, SMALL.body) == body


def test_connections_take_requests_in_turns(run: Run, accept: Callable[[], Peer]) -> None:
    """The first one has the first and the third."""
    running = run(SMALL, 0.0, 0.0, 0.0, connections=2)
    first, second = accept(), accept()
    found = [[each.stream for each in peer.arrived(n)] for peer, n in ((first, 4), (second, 2))]
    for peer, stream in ((first, 1), (first, 3), (second, 1)):
        peer.end(stream, stream)

    assert [[1, 1, 3, 3], [1, 1]] == found
    assert [1, 1, 3] == running.result().statuses.tolist()


@pytest.mark.parametrize("streams", [(0, 1), (1, 0)], ids=["connection first", "stream first"])
def test_a_body_stops_at_the_peers_windows_and_goes_on(
    run: Run, accept: Callable[[], Peer], streams: tuple[int, int]
) -> None:
    """When those of the connection and of the stream have both widened: not with one of them."""
    running = run(LARGE, 0.0)
    peer = accept()
    before = sent_bytes(peer.arrived(5))
    wide = (50_000).to_bytes(4, "big")
    peer.send(frames.WINDOW_UPDATE, 0, streams[0], wide)
    peer.send(frames.PING, 0, 0, b"12345678")
    between = peer.arrived(1)
    peer.send(frames.WINDOW_UPDATE, 0, streams[1], wide)
    after = sent_bytes(peer.arrived(3))
    peer.end(1, OK)
    running.result()

    assert (frames.DEFAULT_WINDOW, len(LARGE.body)) == (before, before + after)
    assert [frames.PING] == [each.kind for each in between]


def test_another_window_at_the_start_holds_for_open_requests_too(
    run: Run, accept: Callable[[], Peer]
) -> None:
    """By the difference (RFC 9113, section 6.9.2)."""
    running = run(LARGE, 0.0)
    peer = accept()
    before = sent_bytes(peer.arrived(5))
    wide = (200_000).to_bytes(4, "big")
    peer.send(frames.SETTINGS, 0, 0, frames.SETTINGS_INITIAL_WINDOW_SIZE.to_bytes(2, "big") + wide)
    peer.send(frames.WINDOW_UPDATE, 0, 0, wide)
    after = peer.arrived(4)
    peer.end(1, OK)
    running.result()

    assert frames.SETTINGS in [each.kind for each in after]
    assert len(LARGE.body) == before + sent_bytes(after)


def test_a_caller_gives_up_after_its_deadline(run: Run, accept: Callable[[], Peer]) -> None:
    """The peer learns that nobody waits; what it says later counts no more."""
    running = run(SMALL, 0.0, 0.001, deadline_s=0.05)
    peer = accept()
    peer.arrived(4)
    peer.end(1, OK)
    reset = peer.arrived(1)
    answers = running.result()

    assert [Frame(frames.RST_STREAM, 0, 3, frames.CANCEL.to_bytes(4, "big"))] == reset
    assert [OK, DEADLINE_EXCEEDED] == answers.statuses.tolist()
    assert answers.ended[1] >= 0.051


def test_a_ping_is_answered(run: Run, accept: Callable[[], Peer]) -> None:
    """Servers measure the line with it, and hang up on who is silent."""
    running = run(SMALL, 0.0)
    peer = accept()
    peer.arrived(2)
    peer.send(frames.PING, 0, 0, b"12345678")
    answered = peer.arrived(1)
    peer.end(1, OK)
    running.result()

    assert [Frame(frames.PING, frames.ACK, 0, b"12345678")] == answered


def test_a_peer_that_hangs_up_ends_what_is_open(run: Run, accept: Callable[[], Peer]) -> None:
    """And what comes after it, as UNAVAILABLE."""
    running = run(SMALL, 0.0, 0.2)
    peer = accept()
    peer.arrived(2)
    peer.socket.shutdown(socket.SHUT_RDWR)

    assert [UNAVAILABLE, UNAVAILABLE] == running.result().statuses.tolist()


def test_trailers_that_it_cannot_read_end_it(run: Run, accept: Callable[[], Peer]) -> None:
    """A status that was guessed would be a wrong figure."""
    running = run(SMALL, 0.0)
    peer = accept()
    peer.arrived(2)
    peer.end(1, OK, huffman=True)

    with pytest.raises(ConnectionError, match="an answer's trailers cannot be read"):
        running.result()


def test_nobody_who_listens_is_an_error(program: Path) -> None:
    """It says why."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionError, match="cannot connect: Connection refused"):
        run_generator(program, f"127.0.0.1:{port}", SMALL, np.zeros(1))
