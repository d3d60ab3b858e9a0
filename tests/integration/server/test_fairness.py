"""Equal shares of the queue, by the metadata or the header that names the client."""

from asyncio import TaskGroup
from typing import Any

import aiohttp
import grpc.aio
import pytest

from fixtures.in_process import request
from integration.server.conftest import StartInProcess
from integration.server.failures import failed
from integration.server.inference.test_http import INFER, asked, serve
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

KEY = "x-client"


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_client_that_floods_does_not_keep_another_out(
    start_in_process: StartInProcess, streaming: bool
) -> None:
    """It is refused what goes beyond its share; the other one is admitted and answered first."""
    tiny = await start_in_process(fairness_key=KEY, max_batch_images=1)
    tiny.engine.block()
    async with grpc.aio.insecure_channel(tiny.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        flood = [stub.Classify(request(1), timeout=20, metadata=((KEY, "f"),)) for _ in range(4)]
        for each in flood:
            each.add_done_callback(lambda _: None)
        await tiny.reach_queued(3)
        error = await failed(stub.Classify(request(1, 1), timeout=20, metadata=((KEY, "f"),)))
        quiet = request(*[2] * 4)
        if streaming:
            stream = stub.ClassifyStream(timeout=20, metadata=((KEY, "q"),))
            await stream.write(quiet)
        else:
            call = stub.Classify(quiet, timeout=20, metadata=((KEY, "q"),))
            call.add_done_callback(lambda _: None)
        await tiny.reach_queued(7)
        tiny.engine.release()
        answer = (await stream.read()).response if streaming else await call
        for each in flood:
            await each

    assert ("RESOURCE_EXHAUSTED", 4, True) == (
        error.code().name,
        len(answer.results),
        tiny.engine.batches.index([2]) < len(tiny.engine.batches) - 4,
    )


async def test_callers_over_http_are_clients_too(start_in_process: StartInProcess) -> None:
    """By the header of that name."""
    tiny = await start_in_process(fairness_key=KEY, max_batch_images=1)
    port = await serve(tiny, client_header=KEY)
    tiny.engine.block()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port.port}") as http, TaskGroup() as group:

        async def ask(client: str, images: int) -> int:
            said = asked("UINT8", [1] * images, [images, 1, 1, 1])
            async with http.post(INFER, json=said, headers={KEY: client}) as answer:
                return answer.status

        flood = [group.create_task(ask("f", 1)) for _ in range(4)]
        await tiny.reach_queued(3)
        refused = await ask("f", 2)
        quiet = group.create_task(ask("q", 4))
        await tiny.reach_queued(7)
        tiny.engine.release()
    await port.stop()

    assert (429, 200, [200] * 4) == (refused, quiet.result(), [each.result() for each in flood])
