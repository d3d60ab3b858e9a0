"""What a server says about its own API."""

from collections.abc import AsyncIterator

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2 as pb

from saccade.v1 import classifier_pb2
from saccade_server.services.call import Call
from saccade_server.services.reflection import ReflectionService

HEALTH = "grpc.health.v1.Health"
NATIVE = classifier_pb2.DESCRIPTOR.services_by_name["ImageClassifier"].full_name
FILE = "saccade/v1/classifier.proto"


@pytest.fixture
def reflection() -> ReflectionService:
    """What is tested."""
    return ReflectionService([NATIVE, HEALTH], [descriptor_pool.Default()])


async def ask(reflection: ReflectionService, **fields: str) -> pb.ServerReflectionResponse:
    """The answer to one request."""

    async def one() -> AsyncIterator[pb.ServerReflectionRequest]:
        yield pb.ServerReflectionRequest(**fields)

    (answer,) = [answer async for answer in reflection.reflect(one(), Call())]
    return answer


def names(answer: pb.ServerReflectionResponse) -> list[str]:
    """The files of an answer."""
    files = answer.file_descriptor_response.file_descriptor_proto
    return [descriptor_pb2.FileDescriptorProto.FromString(file).name for file in files]


async def test_services_are_listed(reflection: ReflectionService) -> None:
    """By name."""
    answer = await ask(reflection, list_services="*")

    assert [HEALTH, NATIVE] == [each.name for each in answer.list_services_response.service]


@pytest.mark.parametrize(
    "symbol",
    [
        NATIVE,
        f"{NATIVE}.Classify",
        "saccade.v1.ClassifyRequest",
        "saccade.v1.ClassifyRequest.top_k",
        "saccade.v1.VersionState",
    ],
)
async def test_a_symbol_is_found(reflection: ReflectionService, symbol: str) -> None:
    """Services, methods, messages, fields and enums; its file comes first."""
    answer = await ask(reflection, file_containing_symbol=symbol)

    assert FILE == names(answer)[0]


async def test_a_file_comes_with_all_that_it_imports(reflection: ReflectionService) -> None:
    """Each once, so that the caller need not ask again."""
    answer = await ask(reflection, file_by_filename=FILE)

    assert [FILE, "saccade/v1/manifest.proto"] == names(answer)


@pytest.mark.parametrize(
    "fields",
    [{"file_containing_symbol": "no.Such"}, {"file_by_filename": "no/such.proto"}],
    ids=["symbol", "file"],
)
async def test_what_is_not_known_is_not_found(
    reflection: ReflectionService, fields: dict[str, str]
) -> None:
    """In the answer: the stream goes on."""
    answer = await ask(reflection, **fields)

    assert 5 == answer.error_response.error_code


async def test_extensions_are_not_offered(reflection: ReflectionService) -> None:
    """Our files have none."""
    answer = await ask(reflection, all_extension_numbers_of_type="saccade.v1.Image")

    assert 12 == answer.error_response.error_code


async def test_the_answer_repeats_the_question(reflection: ReflectionService) -> None:
    """Callers with many questions tell the answers apart by it."""
    answer = await ask(reflection, host="here", list_services="*")

    assert ("here", "*") == (answer.valid_host, answer.original_request.list_services)
