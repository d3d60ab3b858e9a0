"""The connections of the HTTP port: how many, and how long each may keep us waiting.

aiohttp by itself takes any number of connections, and waits for ever for a request, or for the rest
of one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from saccade_server.errors import Overloaded

TICK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What callers may have of the port.

    Attributes:
        max_connections: At the same time. Beyond it a new one takes the place of the one that has
            waited longest without a request, or of none if all are busy.
        max_body_bytes: Of a request, unpacked.
        max_held_bytes: Of all requests under way: what they say that they send, or the above.
        head_s: For the first request of a connection, up to its body.
        receive_s: For the body.
        idle_s: Between two requests.
    """

    max_connections: int = 500
    max_body_bytes: int = 64 << 20
    max_held_bytes: int = 512 << 20
    head_s: float = 10.0
    receive_s: float = 120.0
    idle_s: float = 900.0


class Connections:
    """Makes the protocols of connections, and ends those that are too slow.

    Args:
        limits: What they are held to.
        clock: In seconds.
    """

    def __init__(self, limits: HttpLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._open: set[asyncio.Transport] = set()
        # Each with the time since when; the longest first.
        self._new: dict[asyncio.Transport, float] = {}
        self._idle: dict[asyncio.Transport, float] = {}
        self._asking: dict[asyncio.Transport, tuple[float, web.BaseRequest]] = {}
        self._held_bytes = 0

    def __len__(self) -> int:
        """How many there are."""
        return len(self._open)

    def protocol(self, inner: asyncio.Protocol) -> asyncio.Protocol:
        """What serves one connection.

        Args:
            inner: What speaks HTTP.
        """
        return _Watched(self, inner)

    def enter(self, transport: asyncio.Transport) -> bool:
        """Takes note of a new connection; False if there is no room for it."""
        if len(self._open) >= self._limits.max_connections:
            waiting = next(iter(self._new or self._idle), None)
            if waiting is None:
                return False
            self._drop(waiting)
        self._open.add(transport)
        self._new[transport] = self._clock()
        return True

    def leave(self, transport: asyncio.Transport) -> None:
        """Forgets a connection."""
        self._open.discard(transport)
        for each in (self._new, self._idle, self._asking):
            each.pop(transport, None)

    async def follow(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Has a request answered, whose head has come.

        Raises:
            Overloaded: Too much is on its way already.
        """
        transport = request.transport
        size = self._size(request)
        if self._held_bytes + size > self._limits.max_held_bytes:
            raise Overloaded("too much is being sent to this server at once", retry_after_s=1.0)
        if transport in self._open:
            self._new.pop(transport, None)
            self._idle.pop(transport, None)
            self._asking[transport] = self._clock(), request
        self._held_bytes += size
        try:
            return await handler(request)
        finally:
            self._held_bytes -= size
            if self._asking.pop(transport, None) is not None:  # type: ignore[arg-type]
                self._idle[transport] = self._clock()  # type: ignore[index]

    def tick(self) -> None:
        """Ends connections that have kept us waiting for too long."""
        now, limits = self._clock(), self._limits
        late = [
            *(each for each, since in self._new.items() if now - since > limits.head_s),
            *(each for each, since in self._idle.items() if now - since > limits.idle_s),
            *(
                each
                for each, (since, request) in self._asking.items()
                if now - since > limits.receive_s and not request.content.is_eof()
            ),
        ]
        for transport in late:
            self._drop(transport)

    def _drop(self, transport: asyncio.Transport) -> None:
        self.leave(transport)
        transport.abort()

    def _size(self, request: web.Request) -> int:
        """What a body may take: what is packed, or has no length, may take all that is allowed."""
        if not request.body_exists:
            return 0
        most, length = self._limits.max_body_bytes, request.content_length
        if length is None or "Content-Encoding" in request.headers:
            return most
        return min(length, most)


class _Watched(asyncio.Protocol):
    """A connection that is counted; all else is done by the protocol within."""

    def __init__(self, owner: Connections, inner: asyncio.Protocol) -> None:
        self._owner = owner
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        # What comes often goes there directly.
        self.data_received = inner.data_received  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lets it in, if there is room."""
        made = cast(asyncio.Transport, transport)
        if self._owner.enter(made):
            self._transport = made
            self._inner.connection_made(made)
        else:
            made.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Counts it no longer."""
        if self._transport is not None:
            self._owner.leave(self._transport)
            self._inner.connection_lost(error)

    def eof_received(self) -> bool | None:
        """Nothing more will come."""
        return self._inner.eof_received()
