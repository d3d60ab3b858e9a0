"""grpcio's asyncio server, made anew when it has ended by itself.

It decodes the path of each call in the task that takes the calls: one that is no UTF-8 ends that
task, and the server with it, for everybody. There is no public way to keep it from doing so.
"""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc.aio

log = logging.getLogger(__name__)

Make = Callable[[str], tuple[grpc.aio.Server, int]]
"""Makes a server that listens on HOST:PORT; gives it and its port, or raises OSError."""

GRACE_S = 30.0
"""For the calls under way of a server that has ended."""

MOST_ENDED = 8
"""Servers that have it at a time: whoever ends one after the other gets no memory for it."""

PAUSE_S = 0.005
"""Until the port is tried again, while the old server has it."""


class LastingServer:
    """A server that goes on.

    Args:
        make: Makes it.
        address: HOST:PORT; port 0 takes a free one.

    Attributes:
        port: That it listens on.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, make: Make, address: str) -> None:
        self._make = make
        self._server, self.port = make(address)
        self._address = f"{address.rpartition(':')[0]}:{self.port}"
        self._going_on = True
        self._repair: asyncio.Task[None] | None = None
        self._ended: deque[asyncio.Task[None]] = deque()

    async def start(self) -> None:
        """Begins to answer."""
        others = asyncio.all_tasks()
        await self._server.start()
        for task in _of_grpc(asyncio.all_tasks() - others):
            task.add_done_callback(self._on_end)

    async def stop(self, grace_s: float | None) -> None:
        """Takes no new calls; ends those under way after `grace_s` seconds, or at once."""
        self._going_on = False
        if self._repair is not None:
            await self._repair
        await self._server.stop(grace_s)
        for ended in self._ended:
            ended.cancel()
        await asyncio.gather(*self._ended, return_exceptions=True)

    def _on_end(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or not (error := task.exception()) or not self._going_on:
            return
        log.error("gRPC's server has ended and is made anew: %s", error)
        # It stops itself in another task, which raises the same once more, for nobody.
        for other in _of_grpc(asyncio.all_tasks()):
            other.add_done_callback(lambda each: each.cancelled() or each.exception())
        if len(self._ended) == MOST_ENDED:
            self._ended.popleft().cancel()
        self._ended.append(asyncio.create_task(_let_go(self._server)))
        self._repair = asyncio.create_task(self._begin_anew())

    async def _begin_anew(self) -> None:
        while self._going_on:
            await asyncio.sleep(PAUSE_S)
            try:
                self._server, _ = self._make(self._address)
            except OSError:
                continue
            await self.start()
            break


def _of_grpc(tasks: set[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """Those of gRPC's own: their code is compiled."""
    return [task for task in tasks if not inspect.iscoroutine(task.get_coro())]


async def _let_go(server: grpc.aio.Server) -> None:
    """Lets the calls of a server that has ended go on for a while."""
    try:
        await asyncio.sleep(GRACE_S)
    finally:
        # It ends the calls, and raises what has ended it.
        with suppress(Exception):
            await server.stop(None)
