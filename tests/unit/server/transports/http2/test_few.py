"""Requests of which few are under way, and what is known of those that are about to start."""

import asyncio

from fixtures.clock import settle
from fixtures.echo import make_answerer
from fixtures.http2_peer import Peer, data, head, said
from saccade_server.services.inflight import FEW_REQUESTS
from saccade_server.transports.http2 import frames
from saccade_server.transports.http2.errors import ErrorCode


async def answered(peer: Peer) -> None:
    """Lets a connection send its first answer, which is unlike all others."""
    peer.send(peer.request(1, said(b"first")))
    await peer.answer(1)


def hold(peer: Peer, requests: int) -> None:
    """Sends so many requests that are not answered."""
    for stream in range(3, 3 + 2 * requests, 2):
        peer.send(peer.request(stream, said(b"held"), "Hold"))


async def turns_to_answer(peer: Peer, stream: int) -> int:
    """Turns of the loop until something is written for a request."""
    peer.transport.written = b""
    peer.send(peer.request(stream, said(b"hello")))
    turns = 0
    while not peer.transport.written:
        turns += 1
        assert turns < 10, "nothing is written"
        await asyncio.sleep(0)
    assert said(b"hello") in peer.transport.written
    return turns


async def test_an_answer_of_few_is_written_in_the_turn_of_its_handler() -> None:
    """Nothing else is worth waiting for."""
    peer = Peer()
    await answered(peer)

    assert 1 == await turns_to_answer(peer, 99)


async def test_no_answer_is_written_to_a_connection_that_was_given_up() -> None:
    """What is left of it has not yet been told."""
    peer = Peer()
    await answered(peer)
    peer.transport.written = b""

    peer.send(peer.request(3, said(b"hello")))
    peer.transport.abort()
    await settle()

    assert (b"", 2) == (peer.transport.written, len(peer.service.calls))


async def test_an_answer_of_many_waits_for_the_end_of_the_turn() -> None:
    """All of them leave in one write."""
    peer = Peer()
    await answered(peer)
    hold(peer, FEW_REQUESTS)
    await settle()

    assert 2 == await turns_to_answer(peer, 99)


async def test_an_answer_does_not_overtake_what_waits() -> None:
    """What was to be sent before it goes before it."""
    peer = Peer()
    await answered(peer)

    peer.send(peer.request(3, said(b"hello")), frames.frame(frames.PING, 0, 0, b"12345678"))
    kinds = [each.kind for each in await peer.receive()]

    assert [frames.PING, frames.HEADERS, frames.DATA, frames.HEADERS] == kinds


async def test_a_request_is_announced_until_its_handler_begins() -> None:
    """Those that come in one read are seen before the first of them runs."""
    answerer = make_answerer()
    peer = Peer(answerer=answerer)

    peer.send(peer.request(1, said(b"one")), peer.request(3, said(b"two"), "Hold"))
    before = answerer.announced.starting
    await peer.service.held.wait()

    assert (2, 0) == (before, answerer.announced.starting)


async def test_a_request_that_never_begins_is_announced_no_more() -> None:
    """Its caller gave it up in the same read, or the connection was lost."""
    answerer = make_answerer()
    peer = Peer(answerer=answerer)

    cancel = frames.rst_stream(1, ErrorCode.CANCEL)
    peer.send(peer.request(1, said(b"one")), cancel, peer.request(3, said(b"two")))
    left = answerer.announced.starting
    peer.connection.connection_lost(None)

    assert (1, 0) == (left, answerer.announced.starting)
    await settle()
    assert ([], 0) == (peer.service.calls, answerer.announced.starting)


async def test_a_request_that_has_not_come_whole_is_not_announced() -> None:
    """It may take for ever."""
    answerer = make_answerer()
    peer = Peer(answerer=answerer)

    peer.send(peer.headers(1, head()), data(1, said(b"hello")[:3]))

    assert 0 == answerer.announced.starting


async def test_a_request_that_is_no_message_is_announced_no_more() -> None:
    """It has a handler to say so."""
    answerer = make_answerer()
    peer = Peer(answerer=answerer)

    peer.send(peer.request(1, said(b"hello")[:-1] + b"\xff\xff"))
    await peer.receive()

    assert 0 == answerer.announced.starting
