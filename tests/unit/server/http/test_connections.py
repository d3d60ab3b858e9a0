"""How many connections the HTTP port has, and how long each may keep it waiting."""

import asyncio

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from fixtures.clock import FakeClock
from fixtures.http2_peer import FakeTransport
from saccade_server.errors import Overloaded
from saccade_server.http.connections import Connections, HttpLimits

LIMITS = HttpLimits(
    max_connections=2, max_body_bytes=100, max_held_bytes=150, head_s=10, receive_s=60, idle_s=300
)


class Door:
    """The connections, and a clock that the test sets."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.connections = Connections(LIMITS, clock=self.clock)
        self.released = asyncio.Event()

    def knock(self) -> FakeTransport:
        """A new connection, let in or not."""
        transport = FakeTransport()
        self.connections.protocol(asyncio.Protocol()).connection_made(transport)
        return transport

    def ask(
        self, transport: FakeTransport, headers: dict[str, str] | None = None, *, whole: bool = True
    ) -> "asyncio.Task[web.StreamResponse]":
        """A request whose head has come; it is answered when the test says so."""
        body = StreamReader(BaseProtocol(asyncio.get_running_loop()), 1 << 16)
        if whole:
            body.feed_eof()
        request = make_mocked_request(
            "POST", "/", headers or {"Content-Length": "10"}, transport=transport, payload=body
        )

        async def answer(_: web.Request) -> web.StreamResponse:
            await self.released.wait()
            return web.Response()

        return asyncio.ensure_future(self.connections.follow(request, answer))

    def pass_time(self, seconds: float) -> None:
        """Lets time pass, and the connections notice."""
        self.clock.advance(seconds)
        self.connections.tick()


@pytest.fixture
async def door() -> Door:
    """What is tested."""
    return Door()


async def test_who_does_not_ask_goes(door: Door) -> None:
    """Also one whose first request does not come to an end."""
    silent = door.knock()
    door.pass_time(10)
    was_there = not silent.aborted
    door.pass_time(1)

    assert (True, True, 0) == (was_there, silent.aborted, len(door.connections))


async def test_who_has_asked_may_rest_for_longer(door: Door) -> None:
    """Callers keep connections for the next request."""
    caller = door.knock()
    door.released.set()
    await door.ask(caller)
    door.pass_time(300)
    was_there = not caller.aborted
    door.pass_time(1)

    assert (True, True) == (was_there, caller.aborted)


async def test_a_body_that_does_not_come_to_an_end_ends_its_connection(door: Door) -> None:
    """However often a byte of it comes."""
    slow, waiting = door.knock(), door.knock()
    asked = [door.ask(slow, whole=False), door.ask(waiting)]
    await asyncio.sleep(0)
    door.pass_time(61)
    door.released.set()
    await asyncio.gather(*asked)

    assert (True, False) == (slow.aborted, waiting.aborted)


async def test_a_new_connection_takes_the_place_of_one_that_never_asked(door: Door) -> None:
    """Of several the one that has waited longest."""
    rests = door.knock()
    door.released.set()
    await door.ask(rests)
    silent, new = door.knock(), door.knock()

    assert [False, True, False] == [each.aborted for each in (rests, silent, new)]


async def test_who_rests_makes_room_too(door: Door) -> None:
    """Its caller can connect anew."""
    rests, asks = door.knock(), door.knock()
    door.released.set()
    await door.ask(rests)
    door.released.clear()
    asked = door.ask(asks)
    await asyncio.sleep(0)
    new = door.knock()
    door.released.set()
    await asked

    assert [True, False, False] == [each.aborted for each in (rests, asks, new)]


async def test_where_all_are_busy_a_new_connection_is_closed(door: Door) -> None:
    """There is no room for it."""
    asked = [door.ask(door.knock()), door.ask(door.knock())]
    await asyncio.sleep(0)
    new = door.knock()
    door.released.set()
    await asyncio.gather(*asked)

    assert (True, 2) == (new.aborted, len(door.connections))


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "60"},
        {"Transfer-Encoding": "chunked"},
        {"Content-Length": "3", "Content-Encoding": "gzip"},
    ],
)
async def test_bodies_together_are_bounded(door: Door, headers: dict[str, str]) -> None:
    """Each counts for what it may become; when they are answered there is room again."""
    first = door.ask(door.knock(), {"Content-Length": "99"})
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await door.ask(door.knock(), headers)
    door.released.set()
    await first
    answer = await door.ask(door.knock(), headers)

    assert 200 == answer.status
