"""Streams whose answers keep the order of their requests."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

MAX_STREAM_REQUESTS = 64
"""Requests of one stream that are answered at the same time; the next ones wait in the socket."""


async def answer_in_order(
    requests: AsyncIterator[Any], answer: Callable[[Any], Awaitable[Any]]
) -> AsyncGenerator[Any, None]:
    """The answers to a stream's requests: computed side by side, given in order.

    Args:
        requests: If it fails, the answers fail the same way, after those to what came before.
        answer: Of one request. Must not fail.
    """
    answers: asyncio.Queue[asyncio.Task[Any] | Exception | None] = asyncio.Queue()
    room = asyncio.Semaphore(MAX_STREAM_REQUESTS)

    async def run(request: Any) -> Any:
        return await answer(request)

    async def read() -> None:
        try:
            async for request in requests:
                await room.acquire()
                answers.put_nowait(asyncio.create_task(run(request)))
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
