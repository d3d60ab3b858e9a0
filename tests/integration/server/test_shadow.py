"""Copies of real requests: whatever their engine does, nobody notices."""

import asyncio
from typing import Any

import pytest

from fixtures.in_process import InProcessServer, request
from saccade_server.registry import Traffic

SHADOW = {"tiny": Traffic(labels={"stable": 1, "next": 2}, shadow={"next": 100})}


@pytest.fixture
async def copied(tiny: InProcessServer) -> InProcessServer:
    """A server whose version 2 gets a copy of every request."""
    tiny.registry.direct(SHADOW)
    await tiny.add(2)
    return tiny


async def ask(stub: Any, mark: int) -> tuple[int, str]:
    """The version and the class that a request is answered with."""
    answer = await stub.Classify(request(mark), timeout=20)
    return answer.model.version, answer.results[0].classification.classes[0].label


async def reach(server: InProcessServer, outcome: str) -> None:
    """Waits until one copied image came to that."""
    name = "saccade_shadow_images_total"
    await server.reach(1, name, model="tiny", version="2", outcome=outcome)


async def test_copies_are_compared_and_never_given(copied: InProcessServer, stub: Any) -> None:
    """Version 1 answers, though version 2 is newer."""
    answer = await ask(stub, 255)
    await reach(copied, "agreed")

    assert ((1, "light"), [[255]]) == (answer, copied.engines[2].batches)


async def test_a_copy_that_fails_fails_nothing(copied: InProcessServer, stub: Any) -> None:
    """It is counted."""
    copied.engines[2].poison = 7
    answer = await ask(stub, 7)
    await reach(copied, "failed")

    assert ((1, "dark"), 0) == (
        answer,
        copied.value("saccade_images_total", model="tiny", version="2", outcome="ok"),
    )


async def test_a_copy_that_hangs_delays_nothing(copied: InProcessServer, stub: Any) -> None:
    """The next requests are answered without copies."""
    copied.engines[2].block()
    await ask(stub, 1)
    await asyncio.to_thread(copied.engines[2].wait_called)
    answers = [await ask(stub, mark) for mark in (2, 3, 4)]
    dropped = copied.value(
        "saccade_shadow_images_total", model="tiny", version="2", outcome="dropped"
    )
    copied.engines[2].release()
    await reach(copied, "agreed")

    assert ([(1, "dark")] * 3, 3, [[1]]) == (answers, dropped, copied.engines[2].batches)


async def test_under_load_nothing_is_copied(copied: InProcessServer, stub: Any) -> None:
    """While requests wait, their engine comes first."""
    copied.engine.block()
    waiting = [asyncio.ensure_future(ask(stub, mark)) for mark in range(6)]
    await copied.reach_queued(5)
    copied.engine.release()
    await asyncio.gather(*waiting)

    assert len(copied.engines[2].batches) <= 1
