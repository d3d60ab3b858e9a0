"""A new version whose engine fails, under real requests over a real socket."""

import asyncio
from collections import Counter
from typing import Any

import grpc
import grpc.aio

from fixtures.in_process import request
from integration.server.conftest import StartInProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

BOUND_S = 30.0
POISON = 7


async def ask(stub: Any, mark: int) -> str:
    """Who answers a request: a version, or a code."""
    try:
        answer = await stub.Classify(request(mark), timeout=20)
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return str(answer.model.version)


async def test_a_version_that_fails_gives_way_to_the_one_before(
    start_in_process: StartInProcess,
) -> None:
    """By itself; callers see errors of ours until then and none afterwards, and it says why."""
    server = await start_in_process(probation_s=60.0, max_queue_images=100)
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        before = Counter([await ask(stub, mark) for mark in range(50)])
        (await server.add(2)).poison = POISON
        answers: Counter[str] = Counter()
        async with asyncio.timeout(BOUND_S):
            while not server.value("saccade_rollbacks_total", model="tiny", reason="errors"):
                marks = (1, POISON, 2, 3)
                answers.update(await asyncio.gather(*(ask(stub, mark) for mark in marks)))
        after = Counter([await ask(stub, POISON) for _ in range(20)])
        failed = {"model": "tiny", "version": "2", "state": "failed"}
        await server.reach(1, "saccade_model_state", **failed)
        listed = await stub.ListModels(pb.ListModelsRequest(), timeout=20)
    (bad, good) = listed.models[0].versions

    # Some of the last ones may have met the old version already.
    assert ({"1": 50}, {"2", "INTERNAL"}, {"1": 20}) == (before, answers.keys() - {"1"}, after)
    assert (pb.VERSION_STATE_FAILED, True, pb.VERSION_STATE_READY, 1) == (
        bad.state,
        bad.reason.startswith("rolled back to version 1: "),
        good.state,
        listed.models[0].default_version,
    )
