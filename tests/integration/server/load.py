"""Putting a server under load, up to a known point."""

import asyncio
from typing import Any

from fixtures.in_process import InProcessServer, request


async def block(tiny: InProcessServer, stub: Any) -> Any:
    """Blocks the engine with one call, of the pixel 0."""
    tiny.engine.block()
    call = stub.Classify(request(0), timeout=20)
    call.add_done_callback(lambda _: None)
    await asyncio.to_thread(tiny.engine.wait_called)
    return call


async def fill(tiny: InProcessServer, stub: Any) -> list[Any]:
    """Blocks the engine and fills the queue behind it, of eight images."""
    calls = [await block(tiny, stub)]
    calls += [stub.Classify(request(*range(4)), timeout=20) for _ in range(2)]
    await tiny.reach_queued(8)
    return calls
