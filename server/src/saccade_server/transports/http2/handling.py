"""Runs the handlers: whatever happens in one, its caller gets an answer."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from saccade_server.errors import SaccadeError, Unavailable
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method
from saccade_server.transports.http2.intake import Message

if TYPE_CHECKING:
    from saccade_server.transports.http2.stream import Stream

log = logging.getLogger(__name__)

_CANCELLED = Unavailable("the call was cancelled by the server")
"""For a call whose handler is cancelled by somebody else than its caller."""


async def answer_one(
    stream: "Stream", answerer: Answerer, method: Method, call: Call, message: Message
) -> None:
    """Answers a unary call."""
    stream.begin()
    try:
        compressed, data = message
        if compressed:
            data = await stream.plain(message)
        stream.take_over()
        answer = await answerer.unary(method, data, call)
    except SaccadeError as error:
        stream.refuse(error)
    except asyncio.CancelledError:
        stream.refuse(_CANCELLED)
        raise
    except Exception:  # noqa: BLE001 - the edge: no bug may leave a caller without an answer
        _report(stream, method, call)
    else:
        stream.reply(answer)


async def answer_stream(
    stream: "Stream",
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
                if stream.over:
                    return
                await stream.send(answer)
    except SaccadeError as error:
        stream.refuse(error)
    except asyncio.CancelledError:
        stream.refuse(_CANCELLED)
        raise
    except Exception:  # noqa: BLE001 - the edge, as above
        _report(stream, method, call)
    else:
        stream.finish()


def _report(stream: "Stream", method: Method, call: Call) -> None:
    request_id = call.known_id
    log.exception("%s request_id=%s failed in the transport", method.path, request_id)
    stream.refuse(SaccadeError(f"internal error (request id {request_id})"))
