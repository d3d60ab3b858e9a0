"""Equal shares of the queue, by the metadata that names the client."""

from typing import Any

import grpc.aio
import pytest

from fixtures.in_process import request
from integration.server.conftest import StartInProcess
from integration.server.failures import failed
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
