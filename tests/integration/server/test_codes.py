"""Each situation has its code, its text, and its effect: the table of the design."""

import asyncio
import logging
from typing import Any

import grpc
import grpc.aio
import pytest

from fixtures.in_process import InProcessServer, pixel, request
from integration.server.conftest import StartInProcess
from integration.server.failures import failed, failure
from integration.server.load import block
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

CLASSIFY = "/saccade.v1.ImageClassifier/Classify"
ONE = [pixel(1)]
LARGE = pb.ClassifyRequest(images=[pb.Image(encoded=bytes(2 << 20))])

INVALID: dict[str, tuple[pb.ClassifyRequest, str]] = {
    "no images": (pb.ClassifyRequest(), "the request has 0 images: send 1 to 16"),
    "too many images": (request(*range(17)), "the request has 17 images: send 1 to 16"),
    "top_k of 0": (
        pb.ClassifyRequest(images=ONE, top_k=0),
        "top_k is 0: this model has classes for 1 to 2",
    ),
    "negative top_k": (
        pb.ClassifyRequest(images=ONE, top_k=-1),
        "top_k is -1: this model has classes for 1 to 2",
    ),
    "top_k beyond the classes": (
        pb.ClassifyRequest(images=ONE, top_k=3),
        "top_k is 3: this model has classes for 1 to 2",
    ),
    "version 0": (
        pb.ClassifyRequest(images=ONE, model=pb.ModelSpec(name="tiny", version=0)),
        "version must be a positive integer, got 0",
    ),
    "negative version": (
        pb.ClassifyRequest(images=ONE, model=pb.ModelSpec(name="tiny", version=-7)),
        "version must be a positive integer, got -7",
    ),
    "long request id": (
        request(1, request_id="x" * 129),
        "request_id must be at most 128 printable ASCII characters",
    ),
}

UNKNOWN: dict[str, tuple[pb.ModelSpec, str]] = {
    "model": (pb.ModelSpec(name="nobody"), "no model 'nobody'; there are: tiny"),
    "version": (pb.ModelSpec(name="tiny", version=7), "no version 7 of 'tiny'; there are: 1"),
    "label": (
        pb.ModelSpec(name="tiny", label="canary"),
        "no version of 'tiny' has the label 'canary'",
    ),
}


@pytest.mark.parametrize("case", INVALID)
async def test_a_malformed_request_is_an_invalid_argument(stub: Any, case: str) -> None:
    """The text says what is wrong and what is right."""
    bad, expected = INVALID[case]

    assert ("INVALID_ARGUMENT", expected) == await failure(stub.Classify(bad, timeout=20))


async def test_a_message_of_another_kind_is_an_invalid_argument(tiny_channel: Any) -> None:
    """The text says which kind was expected."""
    call = tiny_channel.unary_unary(CLASSIFY)(b"\xff\xff\xff", timeout=20)

    expected = "the message is not a saccade.v1.ClassifyRequest"
    assert ("INVALID_ARGUMENT", expected) == await failure(call)


@pytest.mark.parametrize("case", UNKNOWN)
async def test_what_is_unknown_is_not_found(stub: Any, case: str) -> None:
    """The text says what there is."""
    spec, expected = UNKNOWN[case]
    asked = stub.Classify(pb.ClassifyRequest(images=ONE, model=spec), timeout=20)

    assert ("NOT_FOUND", expected) == await failure(asked)


@pytest.mark.parametrize("case", UNKNOWN)
async def test_what_is_unknown_cannot_be_described(stub: Any, case: str) -> None:
    """GetModel knows no more than Classify."""
    spec, expected = UNKNOWN[case]
    asked = stub.GetModel(pb.GetModelRequest(model=spec), timeout=20)

    assert ("NOT_FOUND", expected) == await failure(asked)


@pytest.mark.parametrize(
    "path", ["/saccade.v1.ImageClassifier/Paint", "/saccade.v9.ImageClassifier/Classify", "/x/y"]
)
async def test_an_unknown_method_is_unimplemented(tiny_channel: Any, path: str) -> None:
    """Also one of an unknown service."""
    code, _ = await failure(tiny_channel.unary_unary(path)(b"", timeout=20))

    assert "UNIMPLEMENTED" == code


async def test_a_model_that_is_being_loaded_is_unavailable(
    start_in_process: StartInProcess,
) -> None:
    """Another replica may have it already."""
    server = await start_in_process(loaded=False)
    async with grpc.aio.insecure_channel(server.address) as channel:
        await server.reach(1, "saccade_model_state", model="tiny", version="1", state="loading")
        stub: Any = ImageClassifierStub(channel)
        error = await failure(stub.Classify(request(1), timeout=20))

    assert ("UNAVAILABLE", "model 'tiny' is loading: try again later") == error


@pytest.mark.parametrize("model", ["", "tiny"])
async def test_a_server_that_does_not_know_its_models_yet_is_unavailable(
    start_in_process: StartInProcess, model: str
) -> None:
    """Nobody is told that there is no such model before the first look: they would not retry."""
    server = await start_in_process(known=False)
    asked = pb.ClassifyRequest(images=ONE, model=pb.ModelSpec(name=model))
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        code, _ = await failure(stub.Classify(asked, timeout=20))

    assert "UNAVAILABLE" == code


async def test_a_server_that_has_ended_is_unavailable(
    start_in_process: StartInProcess,
) -> None:
    """As any gRPC client expects of a server that is gone."""
    server = await start_in_process()
    await server.transport.stop(0)
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        code, _ = await failure(stub.Classify(request(1), timeout=20))

    assert "UNAVAILABLE" == code


async def test_a_fault_of_ours_is_internal(stub: Any, tiny: InProcessServer) -> None:
    """The caller gets the request id, and nothing else of what went wrong."""
    tiny.engine.poison = 66
    tiny.engine.error = RuntimeError("secret")
    call = stub.Classify(request(66, request_id="r-7"), timeout=20)

    assert ("INTERNAL", "internal error (request id r-7)") == await failure(call)


async def test_the_log_has_the_details_of_a_fault_of_ours(
    stub: Any, tiny: InProcessServer, caplog: pytest.LogCaptureFixture
) -> None:
    """By the request id that the caller reports."""
    tiny.engine.poison = 66
    tiny.engine.error = RuntimeError("secret")
    await failed(stub.Classify(request(66, request_id="r-7"), timeout=20))
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]

    assert [(True, True)] == [
        (record.__dict__["fields"]["request_id"] == "r-7", "secret" in str(record.exc_info))
        for record in errors
    ]


async def test_a_fault_in_one_request_leaves_its_neighbours(
    stub: Any, tiny: InProcessServer
) -> None:
    """Requests that shared its batch are answered."""
    first = await block(tiny, stub)
    tiny.engine.poison = 66
    calls = [stub.Classify(request(mark), timeout=20) for mark in (1, 66, 2)]
    await tiny.reach_queued(3)
    tiny.engine.release()
    await first
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [False, True, False] == [isinstance(outcome, Exception) for outcome in outcomes]


async def test_the_server_goes_on_after_a_fault_of_ours(stub: Any, tiny: InProcessServer) -> None:
    """The next request is answered."""
    tiny.engine.poison = 66
    await failed(stub.Classify(request(66), timeout=20))
    answer = await stub.Classify(request(1), timeout=20)

    assert 1 == len(answer.results)


async def test_a_message_that_is_too_large_is_resource_exhausted(
    stub: Any, tiny: InProcessServer
) -> None:
    """The transport gives that code, from the length before the message; nothing is parsed."""
    code, _ = await failure(stub.Classify(LARGE, timeout=20))

    assert ("RESOURCE_EXHAUSTED", []) == (code, tiny.engine.batches)


async def test_the_connection_goes_on_after_a_message_that_is_too_large(stub: Any) -> None:
    """The caller's other calls do not suffer."""
    await failed(stub.Classify(LARGE, timeout=20))
    answer = await stub.Classify(request(1), timeout=20)

    assert 1 == len(answer.results)
