"""Streams, until the caller ends or the server does.

Apart from `Answerer`, since what is compiled has no asynchronous generators (ARCHITECTURE.md).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing
from typing import Any, cast

from google.protobuf.message import Message

from saccade_server.errors import Unavailable
from saccade_server.services.call import Call, Method


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


class OpenStreams:
    """The streams that are being answered."""

    def __init__(self) -> None:
        self._open: set[Incoming] = set()
        self._draining = False

    def drain(self) -> None:
        """From now on they end when what was read of them is answered; see `Incoming`."""
        self._draining = True
        for stream in self._open:
            stream.drain()

    async def answer(
        self,
        method: Method,
        messages: AsyncIterator[bytes],
        call: Call,
        observe: Callable[[Method, Call], AbstractContextManager[object]],
    ) -> AsyncIterator[bytes]:
        """Answers one.

        Args:
            method: What is called.
            messages: Bytes from the transport.
            call: Of the stream.
            observe: Counts it, and makes errors for the caller of those that leave it.
        """
        if method.stream is None:
            raise TypeError(f"{method.path} does not stream")
        with observe(method, call):
            if method.admit is not None:
                method.admit(call)
            incoming = Incoming(method, messages)
            self._open.add(incoming)
            if self._draining:
                incoming.drain()
            answers = cast(AsyncGenerator[Message, None], method.stream(incoming, call))
            try:
                async with aclosing(answers):
                    async for response in answers:
                        yield response.SerializeToString()
            finally:
                self._open.discard(incoming)


def _ended() -> Unavailable:
    return Unavailable("the server is shutting down: send what is not answered elsewhere")
