"""Requests that come while the event loop is behind."""

import time

import pytest

from fixtures.http2_peer import Peer, data, greeted, head, said, windows
from saccade_server.transports.http2.frames import RST_STREAM
from saccade_server.transports.http2.lag import LONG_S, MEMORY_S, Lag
from saccade_server.transports.http2.window import NARROW_BYTES

TIMEOUT = ("grpc-timeout", "10S")
BEHIND_S = 0.5


def make_late(peer: Peer) -> None:
    """Lets the server see that its loop is behind, and not forget it however slow the test is."""
    later = time.monotonic() + 1000
    peer.lag.learn(later - BEHIND_S, later)


def test_nothing_is_known_at_first() -> None:
    """No wait is expected."""
    assert (0.0, False) == (Lag().now_s(1.0), Lag().behind(1.0))


def test_the_usual_wait_is_learned() -> None:
    """Half of each new one counts."""
    lag = Lag()
    lag.learn(1.0, 1.04)
    lag.learn(1.04, 1.06)

    assert pytest.approx(0.02) == lag.now_s(1.06)


@pytest.mark.parametrize(("wait_s", "behind"), [(LONG_S / 2, False), (LONG_S * 2, True)])
def test_a_long_wait_shows_that_the_loop_is_behind(wait_s: float, behind: bool) -> None:
    """A short one is that of other answers."""
    lag = Lag()
    lag.learn(1.0, 1.0 + wait_s)

    assert behind == lag.behind(1.0 + wait_s)


def test_a_wait_is_soon_forgotten() -> None:
    """Where no answer is written, nobody would learn that the loop has caught up."""
    lag = Lag()
    lag.learn(1.0, 1.1)
    later = 1.1 + 1.5 * MEMORY_S

    assert (0.0, False) == (lag.now_s(later), lag.behind(later))


async def test_the_waits_of_answers_are_learned() -> None:
    """From the first frame for a write to the write."""
    peer = await greeted()

    peer.send(peer.request(1, said(b"hello")))
    await peer.answer(1)

    assert 0 < peer.lag.now_s(0.0)


async def test_a_loop_that_is_behind_refuses_by_the_headers() -> None:
    """The caller learns when to come back before its message is read, and that nobody needs it."""
    peer = await greeted()
    peer.service.full = True
    make_late(peer)

    peer.send(peer.headers(1, head("Say", TIMEOUT)))
    headers = (await peer.answer(1))[1]

    assert ("8", "come back later") == (headers["grpc-status"], headers["grpc-message"])
    assert "grpc-status-details-bin" in headers


async def test_the_message_of_what_was_refused_by_its_headers_is_passed_over() -> None:
    """It was on its way; the next ones wait until they are asked for."""
    peer = await greeted()
    peer.service.full = True
    make_late(peer)

    peer.send(peer.headers(1, head("Say", TIMEOUT)), data(1, said(b"hello"), ended=True))
    received = await peer.receive()

    assert [NARROW_BYTES] == windows(received)
    assert [1] == [each.stream for each in received if each.kind == RST_STREAM]
    assert ([], 0) == (peer.service.calls, peer.pool.held_bytes)


@pytest.mark.parametrize(
    ("late", "headers"),
    [(True, head("Say")), (False, head("Say", TIMEOUT))],
    ids=["no deadline", "a loop that keeps up"],
)
async def test_else_the_handler_judges(late: bool, headers: list[tuple[str, str]]) -> None:
    """It knows more, and a refusal costs nobody else a deadline."""
    peer = await greeted()
    peer.service.full = True
    if late:
        make_late(peer)

    peer.send(peer.headers(1, headers), data(1, said(b"hello"), ended=True))

    assert "0" == (await peer.answer(1))[1]["grpc-status"]


async def test_what_is_let_through_counts_until_its_handler_takes_over() -> None:
    """Requests that come together are not all let through for the same place."""
    peer = await greeted()
    make_late(peer)

    for stream in (1, 3):
        peer.send(peer.headers(stream, head("Say", TIMEOUT)))
        peer.send(data(stream, said(b"hello"), ended=True))
    coming = peer.service.coming
    await peer.receive()

    assert (2, 0, 2) == (coming, peer.service.coming, len(peer.service.calls))


async def test_a_large_request_is_judged_again_by_its_first_bytes() -> None:
    """They say which model is meant; it counts once."""
    peer = await greeted()
    make_late(peer)

    peer.send(peer.headers(1, head("Say", TIMEOUT)), data(1, said(bytes(150_000))[:1000]))

    assert 1 == peer.service.coming


async def test_the_handler_must_be_done_in_time_for_the_way_back() -> None:
    """Its deadline is earlier than the caller's by what an answer waits."""
    peer = await greeted()
    make_late(peer)
    lag_s = peer.lag.now_s(0.0)
    earliest = time.monotonic() + 10 - lag_s
    peer.send(peer.headers(1, head("Say", TIMEOUT)), data(1, said(b"hello"), ended=True))
    latest = time.monotonic() + 10 - lag_s
    await peer.receive()

    deadline = peer.service.calls[0].deadline
    assert deadline is not None
    assert earliest <= deadline <= latest
    assert pytest.approx(BEHIND_S / 2) == lag_s
