"""Calling the server with nothing of ours at hand: all that is needed comes by reflection."""

from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha import reflection_pb2 as pb

NAMES = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
NATIVE = "saccade.v1.ImageClassifier"


@pytest.fixture(params=NAMES)
def reflect(tiny_channel: Any, request: pytest.FixtureRequest) -> Any:
    """The reflection method, under its new and its old name; the messages are the same."""
    return tiny_channel.stream_stream(
        f"/{request.param}/ServerReflectionInfo",
        request_serializer=pb.ServerReflectionRequest.SerializeToString,
        response_deserializer=pb.ServerReflectionResponse.FromString,
    )


async def ask(reflect: Any, *requests: pb.ServerReflectionRequest) -> list[Any]:
    """The answers to some requests."""
    return [answer async for answer in reflect(iter(requests), timeout=20)]


async def test_services_are_listed(reflect: Any) -> None:
    """What can be called, but for reflection itself."""
    (answer,) = await ask(reflect, pb.ServerReflectionRequest(list_services="*"))
    names = [each.name for each in answer.list_services_response.service]

    assert [
        "grpc.health.v1.Health",
        "inference.GRPCInferenceService",
        NATIVE,
        "tensorflow.serving.ModelService",
        "tensorflow.serving.PredictionService",
    ] == names


async def test_questions_are_answered_in_order(reflect: Any) -> None:
    """Also those that have no answer; the stream goes on."""
    answers = await ask(
        reflect,
        pb.ServerReflectionRequest(file_containing_symbol="no.Such"),
        pb.ServerReflectionRequest(file_containing_symbol=NATIVE),
    )

    assert ["error_response", "file_descriptor_response"] == [
        answer.WhichOneof("message_response") for answer in answers
    ]


async def test_a_request_is_built_from_reflection_alone(reflect: Any, tiny_channel: Any) -> None:
    """As grpcurl does: descriptors into a pool of its own, JSON into a message, and back."""
    (answer,) = await ask(reflect, pb.ServerReflectionRequest(file_containing_symbol=NATIVE))
    pool = descriptor_pool.DescriptorPool()
    # What is imported must be added first; it comes last.
    for data in reversed(answer.file_descriptor_response.file_descriptor_proto):
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(data))
    method = pool.FindServiceByName(NATIVE).methods_by_name["Classify"]
    request = message_factory.GetMessageClass(method.input_type)()
    json_format.ParseDict(
        {"images": [{"pixels": {"height": 1, "width": 1, "channels": 1, "data": "/w=="}}]}, request
    )
    call = tiny_channel.unary_unary(
        f"/{NATIVE}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    response = json_format.MessageToDict(await call(request, timeout=20))

    assert "light" == response["results"][0]["classification"]["classes"][0]["label"]
