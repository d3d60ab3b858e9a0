"""Answering the requests of a stream side by side, a bounded number at once.

If a stream fails, its answers fail the same way, after those to what came before.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any

from google.protobuf.message import Message

from saccade_server.errors import SaccadeError

MAX_STREAM_REQUESTS = 64
"""Requests of one stream that are answered at the same time; the next ones wait in the socket."""

Answer = Callable[[Any], Coroutine[Any, Any, Any]]
"""To one request. Must not fail."""


async def answer_when_ready(
    requests: AsyncIterator[Any], answer: Answer
) -> AsyncGenerator[Any, None]:
    """Each answer as it is ready; the order tells nothing."""
    answers: asyncio.Queue[Message | SaccadeError | None] = asyncio.Queue()
    room = asyncio.Semaphore(MAX_STREAM_REQUESTS)

    async def run(request: Any) -> None:
        answers.put_nowait(await answer(request))

    async def read() -> None:
        end: SaccadeError | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    async for request in requests:
                        await room.acquire()
                        tasks.create_task(run(request))
                except SaccadeError as error:
                    # No message, so no request to answer: it ends the stream, but not before
                    # what came ahead of it is answered.
                    end = error
        finally:
            answers.put_nowait(end)

    reading = asyncio.ensure_future(read())
    try:
        while isinstance(response := await answers.get(), Message):
            room.release()
            yield response
        if response is not None:
            raise response
        await reading
    finally:
        reading.cancel()


async def answer_in_order(
    requests: AsyncIterator[Any], answer: Answer
) -> AsyncGenerator[Any, None]:
    """The answers in the order of their requests."""
    answers: asyncio.Queue[asyncio.Task[Any] | Exception | None] = asyncio.Queue()
    room = asyncio.Semaphore(MAX_STREAM_REQUESTS)

    async def read() -> None:
        try:
            async for request in requests:
                await room.acquire()
                answers.put_nowait(asyncio.create_task(answer(request)))
            answers.put_nowait(None)
        except Exception as error:  # noqa: BLE001 - raised below, in the place of the next answer
            answers.put_nowait(error)

    reading = asyncio.create_task(read())
    try:
        while isinstance(item := await answers.get(), asyncio.Task):
            response = await item
            room.release()
            yield response
        if item is not None:
            raise item
    finally:
        reading.cancel()
        while not answers.empty():
            if isinstance(waiting := answers.get_nowait(), asyncio.Task):
                waiting.cancel()
