"""The generator's connection against a peer that the test plays on a real socket."""

import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import hpack
import pytest

from benchmarks import frames
from benchmarks.connection import UNAVAILABLE, Connection
from benchmarks.frames import Frame

HEADERS = [(":method", "POST")]
BODY = bytes(100_000)


@dataclass
class Peer:
    """The other end, and the connection under test."""

    socket: socket.socket
    connection: Connection
    _left: bytes = field(default=b"", repr=False)

    def send(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Sends a frame."""
        self.socket.sendall(frames.encode_frame(kind, flags, stream, payload))

    def arrived(self, count: int) -> list[Frame]:
        """The next frames; waits for as many."""
        found: list[Frame] = []
        while len(found) < count:
            self.connection.write()
            some, self._left = frames.split_frames(self._left + self.socket.recv(1 << 20))
            found += some
        return found

    def ends(self) -> list[tuple[int, int]]:
        """What the connection makes of what was sent to it; waits for something."""
        while not (ended := self.connection.read()):
            assert select.select([self.connection], [], [], 10)[0], "nothing came"
        return ended

    def end(self, stream: int, headers: dict[str, str], *, huffman: bool = True) -> None:
        """Sends trailers."""
        block = hpack.Encoder().encode(list(headers.items()), huffman=huffman)
        self.send(frames.HEADERS, frames.END_STREAM | frames.END_HEADERS, stream, block)


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A peer that has read the preface, the settings and the window of the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        connection = Connection(address, HEADERS, BODY)
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(10)
            connection.write()
            assert frames.PREFACE == accepted.recv(len(frames.PREFACE), socket.MSG_WAITALL)
            peer = Peer(accepted, connection)
            peer.arrived(2)
            yield peer
        connection.close()


def sent_bytes(found: list[Frame]) -> int:
    """Of the body."""
    return sum(len(frame.payload) for frame in found if frame.kind == frames.DATA)


def test_a_body_stops_at_the_peers_window(peer: Peer) -> None:
    """Not a byte more than the peer has allowed."""
    peer.connection.start(0)

    assert frames.DEFAULT_WINDOW == sent_bytes(peer.arrived(5))


def test_a_body_goes_on_when_both_windows_widen(peer: Peer) -> None:
    """Those of the connection and of the stream."""
    stream = peer.connection.start(0)
    before = sent_bytes(peer.arrived(5))
    for number in (0, stream):
        peer.send(frames.WINDOW_UPDATE, 0, number, (50_000).to_bytes(4, "big"))
    # Something that ends, so that there is something to wait for.
    peer.connection.start(1)
    peer.end(stream + 2, {"grpc-status": "0"})
    peer.ends()
    rest = [frame for frame in peer.arrived(4) if frame.stream == stream]

    assert len(BODY) == before + sent_bytes(rest)


@pytest.mark.parametrize("huffman", [True, False])
@pytest.mark.parametrize("status", [0, 8, 14])
def test_trailers_end_a_request_with_their_status(peer: Peer, status: int, huffman: bool) -> None:
    """The number is the caller's own; what is compressed is decoded, other trailers are not."""
    stream = peer.connection.start(42)

    peer.end(stream, {"grpc-message": "later", "grpc-status": str(status)}, huffman=huffman)

    assert [(42, status)] == peer.ends()


def test_a_cancelled_request_is_reset(peer: Peer) -> None:
    """The peer learns that nobody waits."""
    stream = peer.connection.start(0)
    peer.arrived(5)

    peer.connection.cancel(stream)

    assert [Frame(frames.RST_STREAM, 0, stream, frames.CANCEL.to_bytes(4, "big"))] == (
        peer.arrived(1)
    )


def test_what_has_ended_cannot_be_cancelled(peer: Peer) -> None:
    """It is counted once."""
    stream = peer.connection.start(0)
    peer.end(stream, {"grpc-status": "0"})
    peer.ends()

    assert peer.connection.cancel(stream) is False


def test_a_ping_is_answered(peer: Peer) -> None:
    """Servers measure the line with it, and hang up on who is silent."""
    stream = peer.connection.start(0)
    peer.arrived(5)
    peer.send(frames.PING, 0, 0, b"12345678")
    peer.end(stream, {"grpc-status": "0"})
    peer.ends()

    assert [Frame(frames.PING, frames.ACK, 0, b"12345678")] == peer.arrived(1)


def test_a_peer_that_hangs_up_ends_what_is_open(peer: Peer) -> None:
    """As UNAVAILABLE, as a gRPC client has it."""
    peer.connection.start(7)
    peer.arrived(5)

    peer.socket.shutdown(socket.SHUT_RDWR)

    assert [(7, UNAVAILABLE)] == peer.ends()
