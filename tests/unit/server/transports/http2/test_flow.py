"""Windows, both ways: nobody sends more than the other takes, and nothing waits for ever."""

import itertools

import pytest

from fixtures.clock import settle
from fixtures.http2_peer import (
    MAX_MESSAGE_BYTES,
    Frame,
    Peer,
    data,
    greeted,
    head,
    increments,
    message,
    said,
    upload,
    windows,
)
from saccade_server.transports.http2 import Http2Options, frames
from saccade_server.transports.http2.errors import ErrorCode
from saccade_server.transports.http2.frames import (
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    RST_STREAM,
    window_update,
)

WINDOW = 65535
FRAME = 16384


def window(size: int) -> bytes:
    """The settings of a peer whose streams have such windows."""
    return frames.settings({frames.INITIAL_WINDOW_SIZE: size})


def sizes(received: list[Frame], stream: int = 1) -> list[int]:
    """Of the DATA frames of a stream."""
    return [len(x.payload) for x in received if (x.kind, x.stream) == (DATA, stream)]


async def say(peer: Peer, stream: int, body: bytes, left: int = WINDOW) -> None:
    """Sends a whole request, no faster than it may."""
    peer.send(peer.headers(stream, head()))
    await upload(peer, stream, body, left)


async def test_an_answer_waits_for_the_streams_window() -> None:
    """And goes on as it widens, to the last byte and the status."""
    peer = Peer()
    peer.send(window(10), peer.request(1, said(bytes(20))))

    first = sizes(await peer.receive())
    peer.send(window_update(1, 15))
    second = sizes(await peer.receive())
    peer.send(window_update(1, 15))
    last = await peer.receive()

    assert ([10], [15], [2]) == (first, second, sizes(last))
    assert (HEADERS, END_STREAM) == (last[-1].kind, last[-1].flags & END_STREAM)


async def test_an_answer_waits_for_the_connections_window() -> None:
    """Which all streams share."""
    peer = Peer()
    peer.send(window(1 << 20))
    peer.send(peer.headers(1, head()), *[data(1, x) for x in _parts(said(bytes(WINDOW)))])
    peer.send(data(1, b"", ended=True))

    first = sum(sizes(await peer.receive()))
    peer.send(window_update(0, 100))
    second = sum(sizes(await peer.receive()))

    assert (WINDOW, len(said(bytes(WINDOW))) - WINDOW) == (first, second)


def _parts(body: bytes) -> list[bytes]:
    return [body[i : i + FRAME] for i in range(0, len(body), FRAME)]


async def test_a_window_that_settings_shrink_may_be_negative() -> None:
    """RFC 9113, section 6.9.2: it has to be widened beyond zero first."""
    peer = Peer()
    peer.send(window(10), peer.request(1, said(bytes(20))))
    await peer.receive()

    peer.send(window(4))
    peer.send(window_update(1, 6))
    none = sizes(await peer.receive())
    peer.send(window(7))
    some = sizes(await peer.receive())

    assert ([], [3]) == (none, some)


async def test_frames_are_as_large_as_the_peer_takes() -> None:
    """Never larger, and larger than usual only after it said so."""
    usual, large = Peer(), Peer()
    large.send(frames.settings({frames.MAX_FRAME_SIZE: 32768}))
    for peer in (usual, large):
        peer.send(peer.headers(1, head()), *[data(1, x) for x in _parts(said(bytes(40000)))])
        peer.send(data(1, b"", ended=True))

    found = [sizes(await peer.receive()) for peer in (usual, large)]

    assert [[16384, 16384, 7241], [32768, 7241]] == found


async def test_streams_take_turns() -> None:
    """A large answer does not hold up the others."""
    peer = Peer()
    peer.send(window(1 << 20))
    for number in (1, 3, 5):
        peer.send(peer.headers(number, head()))
        peer.send(*[data(number, x) for x in _parts(said(bytes(60_000)))])
        peer.send(data(number, b"", ended=True))
    await peer.receive()

    peer.send(window_update(0, 1 << 20))
    order = [x.stream for x in await peer.receive() if x.kind == DATA and x.stream != 1]

    assert 8 == len(order)
    assert all(one != next_ for one, next_ in itertools.pairwise(order))


async def test_a_handler_that_streams_waits_for_its_reader() -> None:
    """It makes a message or so more than fits, not all of them."""
    peer = Peer(Http2Options(low_water_bytes=1000))
    peer.send(window(5000))

    peer.send(peer.request(1, message(b"\n\x0a1000 x 990"), "Split"))
    await settle()
    before = peer.service.chunks
    for _ in range(3):
        peer.send(window_update(1, 5000))
        await settle()

    assert 7 == before
    assert 22 == peer.service.chunks


async def test_a_handler_that_never_waits_is_held_up() -> None:
    """Even by a peer that takes everything: others in the event loop have their turns."""
    peer = Peer()
    peer.send(window(frames.MAX_WINDOW), window_update(0, frames.MAX_WINDOW - WINDOW))
    split = message(b"\n\x0b99999 x 999")
    peer.send(peer.request(1, split, "Split"), peer.request(3, said(b"x")))

    body, _ = await peer.answer(3)

    assert said(b"x") == body
    assert 100 < peer.service.chunks < 20_000


async def test_nothing_is_sent_while_the_transport_is_full() -> None:
    """And everything afterwards."""
    peer = Peer()
    await peer.receive()
    peer.connection.pause_writing()
    peer.send(peer.request(1, said(b"x")))

    paused = sizes(await peer.receive())
    peer.connection.resume_writing()

    assert ([], [len(said(b"x"))]) == (paused, sizes(await peer.receive()))


async def test_a_peer_that_does_not_read_is_dropped() -> None:
    """After some time without a byte."""
    peer = Peer(Http2Options(stall_s=3))
    peer.connection.pause_writing()
    peer.transport.buffered = 70000
    for seconds in range(4):
        assert not peer.transport.aborted, seconds
        peer.connection.tick()

    assert peer.transport.aborted


async def test_an_answer_that_is_never_taken_is_dropped() -> None:
    """A window of nothing keeps no answer for ever."""
    peer = Peer(Http2Options(stall_s=3))
    peer.send(window(0), peer.request(1, said(b"x")))
    await settle()

    for _ in range(4):
        peer.connection.tick()

    assert peer.transport.aborted


async def test_new_streams_are_refused_while_too_much_is_unsent() -> None:
    """Their callers may try again; nothing was done."""
    peer = Peer(Http2Options(max_unsent_bytes=100))
    peer.send(window(0), peer.request(1, said(bytes(200))))
    await peer.receive()

    peer.send(peer.request(3, said(b"x")))

    assert [ErrorCode.REFUSED_STREAM] == await peer.codes(RST_STREAM)


async def test_a_reset_frees_what_was_not_sent() -> None:
    """Nothing of it counts any more."""
    peer = Peer(Http2Options(max_unsent_bytes=100))
    peer.send(window(0), peer.request(1, said(bytes(200))))
    await settle()

    peer.send(frames.rst_stream(1, ErrorCode.CANCEL))
    peer.send(window(100), peer.request(3, said(b"x")))

    assert said(b"x") == (await peer.answer(3))[0]


async def test_a_request_larger_than_the_window_does_not_wait_for_round_trips() -> None:
    """Its length is known after five bytes: all of it is allowed at once."""
    peer = Peer()
    await peer.receive()
    body = said(bytes(500_000))

    peer.send(peer.headers(1, head()), data(1, body[:5]))

    assert len(body) - WINDOW == increments(await peer.receive(), 1)


@pytest.mark.parametrize("size", [WINDOW - 20, WINDOW, WINDOW + 1, 300_000, MAX_MESSAGE_BYTES - 9])
async def test_a_request_of_any_size_arrives(size: int) -> None:
    """Up to the limit of a message."""
    peer = Peer()
    body = said(bytes(size))
    peer.send(peer.headers(1, head()))
    await peer.receive()

    await upload(peer, 1, body)

    await settle()
    assert 1 == len(peer.service.calls)
    assert 0 == peer.pool.held_bytes


async def test_the_windows_grow_with_the_requests() -> None:
    """The next one like it waits for no round trip."""
    peer = await greeted()
    body = said(bytes(150_000))
    await say(peer, 1, body)

    (announced,) = windows(peer.got)
    peer.send(peer.headers(3, head()), *[data(3, x) for x in _parts(body)])
    peer.send(data(3, b"", ended=True))
    received = await peer.receive()

    assert len(body) == announced
    assert ([], 0) == ([x for x in received if x.kind == RST_STREAM], increments(received, 3))


async def test_requests_that_fit_change_no_window() -> None:
    """However many there are."""
    peer = await greeted()

    for number in (1, 3, 5):
        await say(peer, number, said(bytes(60_000)))

    assert 3 == len(peer.service.calls)
    assert [] == windows(peer.got)


async def test_windows_grow_no_further_than_half_of_what_all_may_hold() -> None:
    """With all streams of a connection together; a larger request is asked for as before."""
    peer = await greeted(Http2Options(max_held_bytes=40_000_000, max_streams=200))

    await say(peer, 1, said(bytes(150_000)))
    await say(peer, 3, said(bytes(200_000)), left=100_000)

    assert 2 == len(peer.service.calls)
    assert [100_000] == windows(peer.got)


async def test_the_messages_of_a_stream_widen_the_windows_too() -> None:
    """Of the next stream: this one has been given its window."""
    peer = await greeted()
    peer.send(peer.headers(1, head("Chat")))

    await upload(peer, 1, said(bytes(150_000)), ended=False)

    assert [len(said(bytes(150_000)))] == windows(peer.got)


async def test_large_requests_of_a_connection_follow_each_other() -> None:
    """Each one gets its room when the one before has given it back."""
    peer = Peer()
    body = said(bytes(900_000))
    for number in (1, 3):
        peer.send(peer.headers(number, head()), data(number, body[:5]))
    received = await peer.receive()
    early = increments(received, 1), increments(received, 3)

    peer.send(*[data(1, x) for x in _parts(body[5:])], data(1, b"", ended=True))
    late = increments(await peer.receive(), 3)

    assert ((len(body) - WINDOW, 0), len(body) - WINDOW) == (early, late)


async def test_a_large_request_that_is_given_up_makes_room() -> None:
    """Whether it was granted or still waited."""
    peer = Peer()
    body = said(bytes(900_000))
    for number in (1, 3, 5):
        peer.send(peer.headers(number, head()), data(number, body[:5]))
    await peer.receive()

    peer.send(frames.rst_stream(3, ErrorCode.CANCEL), frames.rst_stream(1, ErrorCode.CANCEL))

    assert len(body) - WINDOW == increments(await peer.receive(), 5)


async def test_requests_that_are_held_are_bounded() -> None:
    """Beyond the limit of the server a caller is told to come back."""
    peer = Peer(Http2Options(max_held_bytes=50_000))
    peer.send(peer.headers(1, head()), *[data(1, x) for x in _parts(said(bytes(60_000)))])

    _, headers = await peer.answer(1)

    assert "8" == headers["grpc-status"]
    assert "grpc-status-details-bin" in headers
    assert 0 == peer.pool.held_bytes


async def test_the_connections_window_is_renewed() -> None:
    """However much comes."""
    peer = Peer(Http2Options(connection_window_bytes=100_000))
    await peer.receive()
    sent = 0
    allowed = 100_000
    for number in range(1, 41, 2):
        peer.send(peer.headers(number, head()), data(number, said(bytes(10_000)), ended=True))
        sent += len(said(bytes(10_000)))
        allowed += increments(await peer.receive(), 0)

    assert allowed >= sent + 50_000
    assert [] == [x for x in peer.got if x.kind == GOAWAY]


async def test_a_streaming_caller_is_read_as_fast_as_its_handler_takes() -> None:
    """What waits is one window at most, and more is allowed only when it is taken."""
    peer = Peer()
    peer.send(peer.headers(1, head("Chat")), data(1, said(b"hold")))
    await peer.service.held.wait()
    await peer.receive()
    part = said(bytes(1000))
    count = (WINDOW - 20) // len(part)
    for _ in range(count):
        peer.send(data(1, part))
    waiting = increments(await peer.receive(), 1), peer.service.heard

    peer.service.release.set()
    await settle()
    for _ in range(count):
        await settle()
    peer.send(window_update(0, 1 << 20), window_update(1, 1 << 20))
    await settle()

    assert (0, 1) == waiting
    assert count + 1 == peer.service.heard
    assert increments(await peer.receive(), 1) > WINDOW // 2


async def test_padding_is_given_back() -> None:
    """It counts against the window, but nobody keeps it."""
    peer = Peer()
    peer.send(peer.headers(1, head("Chat")))
    await peer.receive()

    for _ in range(200):
        peer.send(frames.frame(DATA, frames.PADDED, 1, b"\xff" + bytes(255)))

    assert increments(await peer.receive(), 1) > WINDOW // 3


async def test_a_message_behind_small_ones_gets_its_window_in_time() -> None:
    """Messages of all sizes in one stream, each frame as large as is allowed."""
    peer = Peer()
    peer.send(window(1 << 20), window_update(0, 1 << 24))
    peer.send(peer.headers(1, head("Join")))
    await peer.receive()
    body = b"".join(said(bytes(x)) for x in (10, 70_000, 0, 60_000, 30_000, 200_000, 5))

    await upload(peer, 1, body)

    for _ in range(10):
        await settle()
    answer, headers = await peer.answer(1)
    assert ("0", 360_015 + 9) == (headers["grpc-status"], len(answer))
