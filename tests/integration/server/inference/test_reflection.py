"""Calling the protocol as grpcurl does: with what reflection tells, and JSON."""

from typing import Any

import grpc.aio
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha import reflection_pb2

from integration.server.inference.asking import SERVICE


async def test_a_call_needs_nothing_but_reflection(tiny_channel: grpc.aio.Channel) -> None:
    """The protocol is described under its own names, imports included."""
    reflect: Any = tiny_channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    asked = reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)
    (answer,) = [each async for each in reflect(iter([asked]), timeout=20)]
    pool = descriptor_pool.DescriptorPool()
    for file in reversed(answer.file_descriptor_response.file_descriptor_proto):
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(file))
    method = pool.FindServiceByName(SERVICE).methods_by_name["ModelInfer"]
    request = message_factory.GetMessageClass(method.input_type)()
    said = {
        "modelName": "tiny",
        "inputs": [
            {
                "name": "images",
                "datatype": "UINT8",
                "shape": [1, 1, 1, 1],
                "contents": {"uintContents": [51]},
            }
        ],
    }
    call: Any = tiny_channel.unary_unary(
        f"/{SERVICE}/ModelInfer",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    response = await call(json_format.ParseDict(said, request), timeout=20)
    scores = json_format.MessageToDict(response)["outputs"][0]["contents"]["fp32Contents"]

    assert [0.8, 0.2] == [round(score, 4) for score in scores]
