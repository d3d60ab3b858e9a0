"""Connections to an echo service, and what must be left of each: nothing."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from fixtures.clock import settle
from fixtures.echo import make_answerer
from fixtures.http2_peer import Peer
from saccade_server.services.answer import Answerer
from saccade_server.transports.http2 import Http2Options

from .catalogue import Check

OPTIONS = Http2Options(max_streams=8, max_held_bytes=100_000, small_frames_per_s=500)
_ENDINGS = 5
"""Turns of the event loop, by twenties, in which all handlers of a closed connection must end."""

_MEANT = "not for callers"
"""The text of the only error that the echo service makes on purpose."""

Talk = Callable[[Answerer, bytes], Coroutine[Any, Any, None]]


class Errors(logging.Handler):
    """Keeps what is logged as an error.

    Attributes:
        texts: Of what no caller can be blamed for.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps it."""
        text = self.format(record)
        if _MEANT not in text:
            self.texts.append(text)


@contextmanager
def logged_errors() -> Iterator[Errors]:
    """What is logged meanwhile, by the event loop too."""
    errors = Errors()
    root = logging.getLogger()
    root.addHandler(errors)
    try:
        yield errors
    finally:
        root.removeHandler(errors)


@contextmanager
def conversations(talk: Talk) -> Iterator[Check]:
    """A check that holds a conversation for each input, in an event loop that goes on."""
    answerer = make_answerer()
    with asyncio.Runner() as runner, logged_errors() as errors:

        def check(data: bytes) -> None:
            runner.run(talk(answerer, data))
            assert [] == errors.texts

        yield check


async def leave(peer: Peer) -> None:
    """Goes away; fails if anything is left."""
    await settle()
    peer.connection.connection_lost(None)
    for _ in range(_ENDINGS):
        await settle()

    assert (0, 0, set()) == (
        peer.pool.held_bytes,
        peer.service.coming,
        peer.connection.streams.tasks,
    )
