"""Valid conversations, damaged at random: the process neither fails nor hangs nor keeps anything.

The seeds are fixed, so a failure can be repeated.
"""

import logging
import random

import pytest

from fixtures.clock import settle
from fixtures.http2_peer import Peer, data, head, message, said
from saccade_server.transports.http2 import Http2Options, frames
from saccade_server.transports.http2.errors import ErrorCode

ROUNDS = 60
MAX_TURNS = 200
"""Of the event loop; a conversation that needs more hangs."""


def conversation(random_: random.Random, peer: Peer) -> list[bytes]:
    """Some frames that a client may send, in an order in which it may send them."""
    parts = [frames.PREFACE, frames.settings({random_.randint(1, 6): 16384})]
    number = 1
    for _ in range(random_.randint(1, 12)):
        method = random_.choice(("Say", "Split", "Join", "Chat", "Describe", "Sing"))
        body = said(random_.randbytes(random_.choice((0, 5, 300, 20_000))))
        if method == "Split":
            body = message(b"\n\x053 x 9")
        more = random_.choice(
            ((), (("grpc-timeout", "1S"),), (("grpc-encoding", "gzip"),), (("x", "y" * 99),))
        )
        parts.append(peer.headers(number, head(method, *more)))
        cut = random_.randint(0, len(body))
        parts += [data(number, body[:cut]), data(number, body[cut:], ended=True)]
        parts.append(
            random_.choice(
                (
                    b"",
                    frames.frame(frames.PING, 0, 0, bytes(8)),
                    frames.rst_stream(number, ErrorCode.CANCEL),
                    frames.window_update(0, 1000),
                    frames.window_update(number, 1000),
                    frames.settings({frames.INITIAL_WINDOW_SIZE: random_.randint(0, 99999)}),
                    frames.frame(frames.PRIORITY, 0, number, bytes(5)),
                )
            )
        )
        number += 2
    return parts


def damage(random_: random.Random, parts: list[bytes]) -> bytes:
    """The conversation with some bits, bytes or frames changed, lost, doubled or swapped."""
    parts = list(parts)
    for _ in range(random_.randint(0, 3)):
        at, other = random_.randrange(1, len(parts)), random_.randrange(1, len(parts))
        change = random_.randrange(4)
        if change == 0:
            del parts[at:other]
        elif change == 1:
            parts.insert(at, parts[other % len(parts)])
        elif change == 2:
            parts[at], parts[other] = parts[other], parts[at]
        else:
            parts.insert(at, random_.randbytes(random_.randint(1, 40)))
        if len(parts) < 2:
            break
    octets = bytearray(b"".join(parts))
    for _ in range(random_.choice((0, 1, 1, 2, 10)) if len(octets) > 24 else 0):
        octets[random_.randrange(24, len(octets))] ^= 1 << random_.randrange(8)
    return bytes(octets)


async def talk(random_: random.Random, peer: Peer, octets: bytes) -> None:
    """Sends it in reads of any size, with time passing, then goes away."""
    while octets:
        size = random_.choice((1, 9, 100, 5000, len(octets)))
        peer.send(octets[:size])
        octets = octets[size:]
        if random_.random() < 0.05:
            peer.connection.tick()
            await settle()
    await settle()
    if random_.random() < 0.3:
        peer.connection.drain()
        await settle()
    peer.connection.connection_lost(None)


@pytest.mark.parametrize("seed", range(20))
async def test_no_bytes_do_harm(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """All handlers end, all memory is given back, and the log has no error."""
    random_ = random.Random(seed)
    with caplog.at_level(logging.WARNING):
        for _ in range(ROUNDS):
            peer = Peer(Http2Options(max_streams=8, max_held_bytes=100_000), greet=False)
            await talk(random_, peer, damage(random_, conversation(random_, peer)))
            for _ in range(MAX_TURNS // 20):
                await settle()

            assert (0, set()) == (peer.pool.held_bytes, peer.connection.streams.tasks)

    assert [] == [record.getMessage() for record in caplog.records]


async def test_an_undamaged_conversation_is_answered() -> None:
    """The fuzzed ones begin as something sensible."""
    random_ = random.Random(7)
    peer = Peer(greet=False)

    peer.send(*conversation(random_, peer))

    kinds = {x.kind for x in await peer.receive()}
    assert {frames.SETTINGS, frames.HEADERS, frames.DATA} <= kinds
    assert frames.GOAWAY not in kinds
