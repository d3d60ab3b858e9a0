import gc

import pytest

from fixtures.clock import settle
from fixtures.http2_peer import SETTINGS, Frame, Peer, data, head, said
from saccade_server.transports.http2 import Http2Options, frames
from saccade_server.transports.http2.errors import ErrorCode
from saccade_server.transports.http2.frames import (
    ACK,
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    RST_STREAM,
    WITH_PRIORITY,
    frame,
)


async def test_it_begins_with_its_settings() -> None:
    """Streams, stream window, header size; then the connection's own window."""
    peer = Peer(greet=False)

    first, second = await peer.receive()

    assert {3: 256, 4: 65535, 6: 16384} == frames.read_settings(first.payload)
    assert (0, (8 << 20) - 65535) == (second.stream, int.from_bytes(second.payload, "big"))


async def test_settings_are_acknowledged_after_they_are_applied() -> None:
    """Each time."""
    peer = Peer()
    await peer.receive()

    peer.send(SETTINGS)

    assert [Frame(frames.SETTINGS, ACK, 0, b"")] == await peer.receive()


async def test_a_ping_comes_back() -> None:
    """With its content."""
    peer = Peer()
    await peer.receive()

    peer.send(frame(PING, 0, 0, b"12345678"))

    assert [Frame(PING, ACK, 0, b"12345678")] == await peer.receive()


async def test_an_answer_is_headers_a_message_and_a_status() -> None:
    """The three frames of a unary call."""
    peer = Peer()

    peer.send(peer.request(1, said(b"hello")))

    body, headers = await peer.answer(1)
    assert said(b"hello") == body
    assert ("200", "application/grpc", "0") == (
        headers[":status"],
        headers["content-type"],
        headers["grpc-status"],
    )


async def test_bytes_may_come_one_by_one() -> None:
    """Frames know no packets."""
    peer = Peer(greet=False)
    stream = frames.PREFACE + SETTINGS + peer.request(1, said(b"slowly"))

    for each in stream:
        peer.send(bytes((each,)))

    assert said(b"slowly") == (await peer.answer(1))[0]


async def test_headers_may_be_cut_padded_and_of_a_priority() -> None:
    """None of which changes what they say."""
    peer = Peer()
    block = peer.block(head())
    first = b"\x03" + bytes(5) + block[:10] + bytes(3)

    peer.send(
        frame(HEADERS, PADDED | WITH_PRIORITY, 1, first),
        frame(CONTINUATION, 0, 1, block[10:20]),
        frame(CONTINUATION, 0, 1),
        frame(CONTINUATION, END_HEADERS, 1, block[20:]),
        data(1, said(b"whole"), ended=True),
    )

    assert said(b"whole") == (await peer.answer(1))[0]


async def test_data_may_be_cut_and_padded() -> None:
    """A message begins and ends anywhere."""
    peer = Peer()
    body = said(b"in pieces")

    peer.send(peer.headers(1, head()), data(1, body[:2]))
    peer.send(frame(frames.DATA, PADDED, 1, b"\x04" + body[2:7] + bytes(4)), data(1, b""))
    peer.send(data(1, body[7:]), frame(frames.DATA, PADDED | END_STREAM, 1, b"\x00"))

    assert body == (await peer.answer(1))[0]


async def test_a_request_may_end_with_trailers() -> None:
    """Which mean nothing to us, but to the tables of both ends."""
    peer = Peer()

    peer.send(
        peer.headers(1, head()),
        data(1, said(b"x")),
        peer.headers(1, [("checksum", "1234")], ended=True),
        peer.headers(3, [*head(), ("checksum", "1234")]),
        data(3, said(b"y"), ended=True),
    )

    assert [said(b"x"), said(b"y")] == [(await peer.answer(n))[0] for n in (1,)] + [said(b"y")]


async def test_unknown_frames_settings_and_flags_are_ignored() -> None:
    """They are for later versions."""
    peer = Peer()

    peer.send(frame(42, 255, 7, b"?"), frames.settings({99: 1}), frame(GOAWAY, 0, 0, bytes(8)))
    peer.send(peer.headers(1, head()), frame(frames.DATA, 0xF0 | END_STREAM, 1, said(b"x")))

    assert said(b"x") == (await peer.answer(1))[0]


async def test_a_block_that_comes_again_means_the_same() -> None:
    """As long as no other one has changed the table; then it may mean something else."""
    peer = Peer()
    for value in ("one", "two"):
        peer.send(peer.headers(1 if value == "one" else 5, head("Say", ("who", value))))
        peer.send(data(1 if value == "one" else 5, said(b"x"), ended=True))
        peer.send(peer.headers(3 if value == "one" else 7, head("Say", ("who", value))))
        peer.send(data(3 if value == "one" else 7, said(b"x"), ended=True))
        await settle()

    assert ["one", "one", "two", "two"] == [x.metadata["who"] for x in peer.service.calls]


async def test_streams_beyond_the_limit_are_refused() -> None:
    """Their callers may try again; nothing was done."""
    peer = Peer(Http2Options(max_streams=2))

    for number in (1, 3, 5):
        peer.send(peer.request(number, said(b"x"), "Hold"))

    refused = [x for x in await peer.receive() if x.kind == RST_STREAM]
    assert [(5, ErrorCode.REFUSED_STREAM)] == [(x.stream, x.code) for x in refused]


async def test_a_reset_cancels_the_handler() -> None:
    """Its caller has gone."""
    peer = Peer()
    peer.send(peer.request(1, said(b"x"), "Hold"))
    await peer.service.held.wait()

    peer.send(frames.rst_stream(1, ErrorCode.CANCEL))
    await settle()

    assert 1 == peer.service.cancelled
    assert 0 == len(peer.connection.streams)


async def test_a_lost_connection_cancels_its_handlers() -> None:
    """All of them."""
    peer = Peer()
    peer.send(peer.request(1, said(b"x"), "Hold"), peer.request(3, said(b"x"), "Hold"))
    await peer.service.held.wait()
    await settle()

    peer.connection.connection_lost(None)
    await settle()

    assert 2 == peer.service.cancelled


async def test_an_early_answer_asks_for_no_more_of_the_request() -> None:
    """And what still comes of it is no error."""
    peer = Peer()
    peer.send(peer.headers(1, head("Sing")))

    codes = await peer.codes(RST_STREAM)
    peer.send(data(1, said(b"x"), ended=True))

    assert [ErrorCode.NO_ERROR] == codes
    assert [] == await peer.receive()


async def test_a_drain_first_tells_and_then_refuses() -> None:
    """What comes before the peer can know is answered; then the connection closes."""
    peer = Peer()
    await peer.receive()

    peer.connection.drain()
    first, ping = await peer.receive()
    peer.send(peer.request(1, said(b"x"), "Hold"))
    await peer.service.held.wait()
    peer.send(frame(PING, ACK, 0, ping.payload))
    (second,) = await peer.receive()
    peer.send(peer.request(3, said(b"late")))
    (refused,) = await peer.receive()
    open_before = peer.transport.closed
    peer.service.release.set()
    body, _ = await peer.answer(1)

    assert (GOAWAY, frames.STREAM_MASK) == (first.kind, int.from_bytes(first.payload[:4], "big"))
    assert (GOAWAY, 1) == (second.kind, int.from_bytes(second.payload[:4], "big"))
    assert (3, ErrorCode.REFUSED_STREAM) == (refused.stream, refused.code)
    assert (False, said(b"x"), True) == (open_before, body, peer.transport.closed)


async def test_a_drain_waits_for_no_peer_that_does_not_answer() -> None:
    """Two seconds, then the second step follows."""
    peer = Peer()
    peer.connection.drain()

    peer.connection.tick()
    before = peer.transport.closed
    peer.connection.tick()

    assert (False, True) == (before, peer.transport.closed)


async def test_the_end_answers_calls_that_are_left_with_unavailable() -> None:
    """And cancels their handlers."""
    peer = Peer()
    peer.send(peer.request(1, said(b"x"), "Hold"))
    await peer.service.held.wait()

    peer.connection.end()

    assert "14" == (await peer.answer(1))[1]["grpc-status"]
    assert (1, True) == (peer.service.cancelled, peer.transport.closed)


async def test_a_silent_peer_is_asked_whether_it_lives() -> None:
    """By a ping; without any answer the connection is dropped."""
    peer = Peer(Http2Options(keepalive_s=2, keepalive_timeout_s=2))
    await peer.receive()

    for _ in range(3):
        peer.connection.tick()
    asked = [x.kind for x in await peer.receive()]
    for _ in range(2):
        peer.connection.tick()

    assert ([PING], True) == (asked, peer.transport.aborted)


async def test_a_peer_that_never_greets_is_dropped() -> None:
    """Connections are few."""
    peer = Peer(Http2Options(handshake_s=2), greet=False)

    for _ in range(2):
        peer.send(frames.PREFACE[:3] if peer.transport.written else b"")
        peer.connection.tick()

    assert peer.transport.aborted


@pytest.mark.parametrize("first", [b"\x00\x00", frame(HEADERS, 0, 1, b"\x82")])
async def test_a_frame_or_block_that_does_not_end_is_dropped(first: bytes) -> None:
    """However often a byte of it comes."""
    peer = Peer(Http2Options(frame_s=3))

    peer.send(first)
    for _ in range(3):
        peer.connection.tick()

    assert peer.transport.aborted


async def test_a_request_that_stalls_is_reset() -> None:
    """It has begun, nothing more of it comes, no handler knows of it."""
    peer = Peer(Http2Options(stall_s=2))
    peer.send(peer.headers(1, head()), data(1, b"\0"))

    for _ in range(4):
        peer.connection.tick()

    assert [ErrorCode.CANCEL] == await peer.codes(RST_STREAM)


@pytest.mark.parametrize("method", ["Say", "Join"])
async def test_a_message_that_does_not_come_to_an_end_ends_its_call(method: str) -> None:
    """However often a byte of it comes; of a caller that streams, too."""
    peer = Peer(Http2Options(receive_s=2))
    peer.send(peer.headers(1, head(method)), data(1, b"\0\0\0\0\x63"))

    for _ in range(3):
        peer.send(data(1, b"x"))
        peer.connection.tick()

    _, headers = await peer.answer(1)
    assert ("4", "the request did not come whole within 2 s") == (
        headers["grpc-status"],
        headers["grpc-message"],
    )


async def test_a_stream_may_be_silent_between_its_messages() -> None:
    """Only what has begun must end."""
    peer = Peer(Http2Options(receive_s=2))
    peer.send(peer.headers(1, head("Join")), data(1, said(b"x")))
    await settle()

    for _ in range(5):
        peer.connection.tick()

    assert [] == [each.kind for each in await peer.receive() if each.stream == 1]


async def test_a_deadline_ends_a_call_and_cancels_its_handler() -> None:
    """The caller need not even ask."""
    peer = Peer()

    peer.send(peer.headers(1, head("Hold", ("grpc-timeout", "1u"))))
    peer.send(data(1, said(b"x"), ended=True))
    await peer.service.held.wait()
    while not peer.service.cancelled:
        await settle()

    assert "4" == (await peer.answer(1))[1]["grpc-status"]


@pytest.mark.parametrize("value", [b"x", b"busy"])
async def test_a_call_leaves_nothing_for_the_garbage_collector(value: bytes) -> None:
    """Looking for garbage would hold all other calls up."""
    peer = Peer()
    peer.send(peer.request(1, said(value)))
    await peer.receive()
    gc.collect()
    gc.disable()
    try:
        peer.send(peer.request(3, said(value)))
        await peer.receive()

        assert 0 == gc.collect()
    finally:
        gc.enable()
