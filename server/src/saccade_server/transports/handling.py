"""Runs the handlers: whatever happens in one, its caller gets an answer."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol, cast

from saccade_server.errors import SaccadeError, Unavailable
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method

log = logging.getLogger(__name__)

_CANCELLED = Unavailable("the call was cancelled by the server")
"""For a call whose handler is cancelled by somebody else than its caller."""


class Exchange(Protocol):
    """A transport's side of a call, for its handler."""

    @property
    def over(self) -> bool:
        """Whether the call's status is decided, so that its handler can do no more."""

    def begin(self) -> None:
        """The handler has begun."""

    def take_over(self) -> None:
        """The handler judges the request from here on."""

    def reply(self, answer: bytes) -> None:
        """The only answer, and the end."""

    def refuse(self, error: SaccadeError) -> None:
        """The handler has ended with an error."""

    async def send(self, answer: bytes) -> None:
        """One answer of several; waits until another one is welcome."""

    def finish(self) -> None:
        """All answers are sent."""


async def answer_one(
    exchange: Exchange,
    answerer: Answerer,
    method: Method,
    call: Call,
    data: bytes,
    unpack: Callable[[], Awaitable[bytes]] | None = None,
) -> None:
    """Answers a unary call.

    Args:
        exchange: The transport's side.
        answerer: What answers.
        method: What is called.
        call: The handler's side.
        data: The message.
        unpack: Gives the message instead, or raises a SaccadeError.
    """
    exchange.begin()
    try:
        if unpack is not None:
            data = await unpack()
        exchange.take_over()
        answer = await answerer.unary(method, data, call)
    except SaccadeError as error:
        exchange.refuse(error)
    except asyncio.CancelledError:
        exchange.refuse(_CANCELLED)
        raise
    except Exception:  # noqa: BLE001 - the edge: no bug may leave a caller without an answer
        _report(exchange, method, call)
    else:
        exchange.reply(answer)


async def answer_stream(
    exchange: Exchange,
    answerer: Answerer,
    method: Method,
    call: Call,
    messages: AsyncIterator[bytes],
) -> None:
    """Answers a call whose answers are streamed, no faster than they are taken."""
    try:
        answers = cast(AsyncGenerator[bytes, None], answerer.stream(method, messages, call))
        async with aclosing(answers):
            async for answer in answers:
                if exchange.over:
                    return
                await exchange.send(answer)
    except SaccadeError as error:
        exchange.refuse(error)
    except asyncio.CancelledError:
        exchange.refuse(_CANCELLED)
        raise
    except Exception:  # noqa: BLE001 - the edge, as above
        _report(exchange, method, call)
    else:
        exchange.finish()


def _report(exchange: Exchange, method: Method, call: Call) -> None:
    request_id = call.known_id
    log.exception("%s request_id=%s failed in the transport", method.path, request_id)
    exchange.refuse(SaccadeError(f"internal error (request id {request_id})"))
