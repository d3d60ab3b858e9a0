"""Requests of all APIs share batches."""

import asyncio
from typing import Any

import grpc.aio

from fixtures.in_process import InProcessServer, pixel
from integration.server.tfserving.asking import asker, pixels, predict
from saccade.v1 import classifier_pb2 as pb
from saccade_server.protocols import inference_pb


def open_inference(channel: grpc.aio.Channel, mark: int) -> Any:
    """A request of the Open Inference Protocol."""
    request = inference_pb.ModelInferRequest(model_name="tiny")
    request.inputs.add(name="images", datatype="UINT8", shape=[1, 1, 1, 1])
    request.raw_input_contents.append(bytes([mark]))
    infer: Any = channel.unary_unary(
        "/inference.GRPCInferenceService/ModelInfer",
        request_serializer=lambda message: message.SerializeToString(),
    )
    return infer(request, timeout=20)


async def test_requests_of_all_apis_form_one_batch(
    tiny: InProcessServer, tiny_channel: grpc.aio.Channel, stub: Any
) -> None:
    """What queues while the engine works, whatever API it came by."""
    tiny.engine.block()
    first = stub.Classify(pb.ClassifyRequest(images=[pixel(1)]), timeout=20)
    await asyncio.to_thread(tiny.engine.wait_called)
    others = [
        stub.Classify(pb.ClassifyRequest(images=[pixel(2)]), timeout=20),
        open_inference(tiny_channel, 3),
        asyncio.ensure_future(asker(tiny_channel)("Predict", predict(pixels(4)))),
    ]
    await tiny.reach_queued(3)
    tiny.engine.release()
    await asyncio.gather(first, *others)

    assert [[1], [2, 3, 4]] == [sorted(batch) for batch in tiny.engine.batches]
