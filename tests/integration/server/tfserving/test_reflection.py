"""Reflection shows the protocol under its own names."""

from typing import Any

import grpc.aio
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2

from integration.server.tfserving.asking import METHODS


async def describe(channel: grpc.aio.Channel, symbol: str) -> descriptor_pool.DescriptorPool:
    """All files that a symbol needs, in a pool of their own."""
    reflect: Any = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)
    (answer,) = [each async for each in reflect(iter([request]), timeout=20)]
    pool = descriptor_pool.DescriptorPool()
    for data in reversed(answer.file_descriptor_response.file_descriptor_proto):
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(data))
    return pool


@pytest.mark.parametrize("name", METHODS)
async def test_each_method_is_described(tiny_channel: grpc.aio.Channel, name: str) -> None:
    """With the messages that it takes and gives."""
    service, request, response = METHODS[name]
    pool = await describe(tiny_channel, service)
    method = pool.FindServiceByName(service).methods_by_name[name]

    assert (request.DESCRIPTOR.full_name, response.DESCRIPTOR.full_name) == (
        method.input_type.full_name,
        method.output_type.full_name,
    )
