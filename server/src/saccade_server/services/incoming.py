"""The messages of a caller that streams, until it ends or the server does."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from saccade_server.errors import Unavailable
from saccade_server.services.call import Method


class Incoming:
    """Parses messages as they come; a drain ends them with Unavailable.

    Whoever answers a stream then answers what it has read and fails with that error: what was not
    read was not begun, and may be sent elsewhere. A caller who keeps a stream open and says nothing
    would hold up the end of the process.

    Args:
        method: Whose messages they are.
        messages: Bytes from the transport.
    """

    __slots__ = ("_draining", "_messages", "_method", "_reader")

    def __init__(self, method: Method, messages: AsyncIterator[bytes]) -> None:
        self._method = method
        self._messages = messages
        self._draining = False
        self._reader: asyncio.Task[Any] | None = None

    def drain(self) -> None:
        """From now on there are no more messages; wakes up whoever waits for one."""
        self._draining = True
        if self._reader is not None:
            self._reader.cancel()

    def __aiter__(self) -> "Incoming":
        return self

    async def __anext__(self) -> Any:
        if self._draining:
            raise _ended()
        self._reader = reader = asyncio.current_task()
        try:
            data = await anext(self._messages)
        except asyncio.CancelledError:
            # Cancelled by `drain`, and by nobody else.
            if self._draining and reader is not None and not reader.uncancel():
                raise _ended() from None
            raise
        finally:
            self._reader = None
        return self._method.parse(data)


def _ended() -> Unavailable:
    return Unavailable("the server is shutting down: send what is not answered elsewhere")
