"""Requests that are refused before their bodies have come, and the windows that go with it."""

import pytest

from fixtures.http2_peer import (
    Frame,
    Peer,
    data,
    greeted,
    head,
    increments,
    said,
    upload,
    windows,
)
from saccade_server.transports.http2 import Http2Options, frames
from saccade_server.transports.http2.errors import ErrorCode
from saccade_server.transports.http2.frames import RST_STREAM, SETTINGS
from saccade_server.transports.http2.window import NARROW_BYTES

WIDE = Http2Options().stream_window_bytes
ACKNOWLEDGED = frames.frame(SETTINGS, frames.ACK, 0)
REFUSED = said(b"too much" + bytes(150_000))
FINE = said(bytes(150_000))


async def refused(peer: Peer, stream: int = 1) -> list[Frame]:
    """What comes for the beginning of a request that is refused."""
    peer.send(peer.headers(stream, head()), data(stream, REFUSED[:1000]))
    return await peer.receive()


async def test_a_refusal_does_not_wait_for_the_body() -> None:
    """The caller learns when to come back, and that we need no more of the request."""
    peer = await greeted()

    peer.send(peer.headers(1, head()), data(1, REFUSED[:1000]))
    headers = (await peer.answer(1))[1]

    assert ("8", "come back later") == (headers["grpc-status"], headers["grpc-message"])
    assert "grpc-status-details-bin" in headers


async def test_nothing_of_a_refused_request_is_kept_or_asked_for() -> None:
    """What of it is already on its way is no error."""
    peer = await greeted()

    received = await refused(peer)
    peer.send(data(1, REFUSED[1000:9000]))
    received += await peer.receive()

    assert [ErrorCode.NO_ERROR] == [each.code for each in received if each.kind == RST_STREAM]
    assert (0, 0) == (increments(received, 1), peer.pool.held_bytes)


async def test_a_request_that_has_come_whole_is_not_refused_early() -> None:
    """Its handler knows better."""
    peer = await greeted()

    peer.send(peer.request(1, said(b"too much")))

    assert "0" == (await peer.answer(1))[1]["grpc-status"]


async def test_bodies_wait_while_requests_are_refused() -> None:
    """New streams may send little more than what they are judged by."""
    peer = await greeted()

    received = await refused(peer)

    assert [NARROW_BYTES] == windows(received)


async def test_windows_are_announced_once() -> None:
    """However many requests are refused meanwhile."""
    peer = await greeted()

    received = await refused(peer, 1) + await refused(peer, 3)
    peer.send(ACKNOWLEDGED)
    received += await refused(peer, 5)

    assert [NARROW_BYTES] == windows(received)


async def test_what_is_not_refused_then_gets_its_window() -> None:
    """All of a large request comes, by a window for the rest of it."""
    peer = await greeted()
    await refused(peer)
    peer.send(ACKNOWLEDGED, peer.headers(3, head()))

    await upload(peer, 3, FINE, NARROW_BYTES)

    assert "0" == (await peer.answer(3))[1]["grpc-status"]


async def test_an_upload_under_way_gets_its_window_back() -> None:
    """The peer has made it smaller by our settings, even negative."""
    peer = await greeted()
    peer.send(peer.headers(1, head()), data(1, FINE[:10_000]))
    left = WIDE - 10_000 + increments(await peer.receive(), 1)
    await refused(peer, 3)

    peer.send(ACKNOWLEDGED)
    left += NARROW_BYTES - WIDE + increments(await peer.receive(), 1)
    await upload(peer, 1, FINE[10_000:], left)

    assert "0" == (await peer.answer(1))[1]["grpc-status"]


async def test_the_old_window_counts_until_the_peer_knows_the_new_one() -> None:
    """Its requests and our settings may have crossed."""
    peer = await greeted()
    await refused(peer)

    peer.send(peer.headers(3, head()))
    await upload(peer, 3, FINE[:60_000], WIDE)

    assert [] == await peer.codes(RST_STREAM)


async def test_a_narrow_window_must_be_kept() -> None:
    """By a peer that has acknowledged it."""
    peer = await greeted()
    await refused(peer)
    peer.send(ACKNOWLEDGED)

    peer.send(peer.headers(3, head()), data(3, bytes(NARROW_BYTES + 1)))

    assert [ErrorCode.FLOW_CONTROL_ERROR] == await peer.codes(RST_STREAM)


@pytest.mark.parametrize(("ticks", "announced"), [(1, []), (2, [WIDE])])
async def test_a_second_without_refusals_widens_the_windows(
    ticks: int, announced: list[int]
) -> None:
    """Not the one in which the last refusal fell."""
    peer = await greeted()
    await refused(peer)
    peer.send(ACKNOWLEDGED)

    for _ in range(ticks):
        peer.connection.tick()

    assert announced == windows(await peer.receive())


async def test_windows_grow_when_no_requests_are_refused_any_more() -> None:
    """Whatever large request came meanwhile."""
    peer = await greeted()
    await refused(peer)
    peer.send(ACKNOWLEDGED, peer.headers(3, head()))
    await upload(peer, 3, FINE, NARROW_BYTES)
    meanwhile = windows(peer.got)

    for _ in range(2):
        peer.connection.tick()

    assert [NARROW_BYTES] == meanwhile
    assert [len(FINE)] == windows(await peer.receive())


async def test_a_compressed_request_is_not_judged() -> None:
    """Its first bytes say nothing."""
    peer = await greeted()

    peer.send(peer.headers(1, head("Say", ("grpc-encoding", "gzip"))))
    peer.send(data(1, b"\1" + REFUSED[1:1000]))

    assert [] == await peer.codes(RST_STREAM)


async def test_a_request_that_was_let_through_counts_until_it_has_come() -> None:
    """Then its handler takes over."""
    peer = await greeted()
    peer.send(peer.headers(1, head()), data(1, FINE[:1000]))
    begun = peer.service.coming

    await upload(peer, 1, FINE[1000:], WIDE - 1000)

    assert (1, 0) == (begun, peer.service.coming)


async def test_a_request_that_never_comes_counts_no_longer() -> None:
    """Its caller has given it up."""
    peer = await greeted()
    peer.send(peer.headers(1, head()), data(1, FINE[:1000]))

    peer.send(frames.rst_stream(1, ErrorCode.CANCEL))

    assert 0 == peer.service.coming
