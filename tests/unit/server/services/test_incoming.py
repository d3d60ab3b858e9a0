"""The messages of a stream, until a drain ends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

import pytest
from google.protobuf.wrappers_pb2 import StringValue

from fixtures.clock import settle
from saccade_server.errors import Unavailable
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call
from saccade_server.services.incoming import Incoming
from unit.server.services.texts import messages, upper_each


async def silence() -> AsyncIterator[bytes]:
    """A caller who keeps the stream open and says nothing."""
    await asyncio.Event().wait()
    yield b""


async def read(incoming: Incoming) -> list[str]:
    """The texts of all messages."""
    return [message.value async for message in incoming]


async def test_messages_are_parsed_as_they_come() -> None:
    """To the end that the caller makes."""
    assert ["a", "b"] == await read(Incoming(upper_each(), messages("a", "b")))


async def test_who_waits_for_a_message_is_told_of_the_drain() -> None:
    """The caller says nothing and would hold up the end of the process."""
    incoming = Incoming(upper_each(), silence())
    reading = asyncio.ensure_future(read(incoming))
    await settle()
    incoming.drain()

    with pytest.raises(Unavailable, match="shutting down"):
        await reading


async def test_after_a_drain_nothing_is_read() -> None:
    """What has come is left to be sent elsewhere."""
    incoming = Incoming(upper_each(), messages("a"))
    incoming.drain()

    with pytest.raises(Unavailable, match="shutting down"):
        await anext(incoming)


async def test_a_caller_who_goes_in_the_drain_cancels_all_the_same() -> None:
    """Nobody is there who could be told."""
    incoming = Incoming(upper_each(), silence())
    reading = asyncio.ensure_future(read(incoming))
    await settle()
    incoming.drain()
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_whoever_was_told_can_go_on() -> None:
    """The cancellation was the drain's alone: what follows in the same task is not cancelled."""

    async def outlive(incoming: Incoming) -> int:
        with pytest.raises(Unavailable):
            await read(incoming)
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    incoming = Incoming(upper_each(), silence())
    outliving = asyncio.ensure_future(outlive(incoming))
    await settle()
    incoming.drain()

    assert 0 == await outliving


async def test_an_answerer_that_drains_ends_its_streams(answerer: Answerer) -> None:
    """Those that are open, and those that open then."""

    async def answer(texts: AsyncIterator[bytes]) -> list[str]:
        answers = answerer.stream(upper_each(), texts, Call())
        return [StringValue.FromString(each).value async for each in answers]

    opened = asyncio.ensure_future(answer(silence()))
    await settle()
    answerer.drain()
    late = asyncio.ensure_future(answer(messages("a")))
    ends = await asyncio.gather(opened, late, return_exceptions=True)

    assert [Unavailable, Unavailable] == [type(end) for end in ends]


async def test_who_closes_the_answers_has_closed_the_handler(answerer: Answerer) -> None:
    """At once, not when the garbage collector finds it."""
    ends: list[str] = []

    async def handle(
        requests: AsyncIterator[StringValue], call: Call
    ) -> AsyncIterator[StringValue]:
        try:
            async for request in requests:
                yield request
        finally:
            await asyncio.sleep(0)
            ends.append("handler")

    method = replace(upper_each(), stream=handle)
    async with aclosing(cast(Any, answerer.stream(method, messages("a", "b"), Call()))) as answers:
        await anext(answers)

    assert ["handler"] == ends
