"""What gRPC's core has done, brought into the event loop's thread.

The core works in threads of its own and puts what it has done into a queue. With a thread that
waits for each completion and passes it on, two threads fight over the interpreter. So here the loop
takes completions itself, in each of its turns, for as long as it finds any, and a thread waits for
the next one only while there is none.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

from saccade_server.transports.grpcio.core import core

log = logging.getLogger(__name__)

MOST = 64
"""Completions in one turn of the loop, which has other things to do."""

_NOW = 0.0
"""A time that has passed: whoever waits until then does not wait."""


class Completions:
    """A completion queue, and its way into the loop.

    Whatever is started with it has as its tag what is to be called with the completion.

    Args:
        loop: The event loop.
        awake: Whether the loop does not sleep now, so that it need not be woken up.

    Attributes:
        queue: The core's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, awake: Callable[[], bool]) -> None:
        self.queue: Any = core.CompletionQueue()
        self._loop = loop
        self._awake = awake
        self._watcher = threading.Thread(target=self._watch, name="grpc-completions", daemon=True)
        self._watching = threading.Lock()  # Free while the thread is to wait for a completion.
        self._watching.acquire()
        self._ended: asyncio.Future[None] = loop.create_future()

    def start(self) -> None:
        """From now on completions are taken."""
        self._watcher.start()
        self._watching.release()

    async def stop(self) -> None:
        """Ends when nothing that was started is left; nothing more may be."""
        self.queue.shutdown()
        await self._ended
        self._watching.release()
        self._watcher.join()

    def _watch(self) -> None:
        """Waits for one completion at a time, in a thread, whenever the loop has found none."""
        while True:
            self._watching.acquire()
            if self._ended.done():
                return
            self._loop.call_soon_threadsafe(self._wake, self.queue.poll())

    def _wake(self, event: Any) -> None:
        """The thread has found a completion: there may be more."""
        if self._handle(event):
            self._take()

    def _take(self) -> None:
        """Takes what there is, and looks again in the next turn; or else the thread waits."""
        poll, taken = self.queue.poll, 0
        while taken < MOST:
            event = poll(_NOW)
            if event.completion_type == core.CompletionType.queue_timeout:
                break
            if not self._handle(event):
                return
            # Or else what the event knows would live on while we wait for the next one.
            event = None
            taken += 1
        if taken or self._awake():
            self._loop.call_soon(self._take)
        else:
            self._watching.release()

    def _handle(self, event: Any) -> bool:
        """Passes a completion on; whether there may be more."""
        if event.completion_type == core.CompletionType.queue_shutdown:
            self._ended.set_result(None)
            return False
        try:
            event.tag(event)
        except Exception:
            # What went wrong with one call is no reason to take no others.
            log.exception("a completion of gRPC's was not understood")
        return True
