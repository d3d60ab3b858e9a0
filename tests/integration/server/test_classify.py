"""What an answer to Classify holds, and how requests share the engine."""

import asyncio
from typing import Any

import grpc.aio
import pytest

from fixtures.in_process import InProcessServer, pixel, request
from integration.server.conftest import StartInProcess
from integration.server.load import block
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub


async def test_results_come_in_the_order_of_the_images(stub: Any) -> None:
    """One for each."""
    answer = await stub.Classify(request(0, 255, 0, 255, 255), timeout=20)

    assert ["dark", "light", "dark", "light", "light"] == [
        result.classification.classes[0].label for result in answer.results
    ]


async def test_classes_come_best_first(stub: Any) -> None:
    """With label, index and probability."""
    answer = await stub.Classify(request(204), timeout=20)
    (result,) = answer.results

    assert [("light", 1, pytest.approx(0.8)), ("dark", 0, pytest.approx(0.2))] == [
        (each.label, each.index, each.score) for each in result.classification.classes
    ]


@pytest.mark.parametrize(("top_k", "expected"), [(None, 2), (1, 1), (2, 2)])
async def test_as_many_classes_as_asked(stub: Any, top_k: int | None, expected: int) -> None:
    """Without a word: five, or all where there are fewer."""
    answer = await stub.Classify(pb.ClassifyRequest(images=[pixel(1)], top_k=top_k), timeout=20)

    assert expected == len(answer.results[0].classification.classes)


@pytest.mark.parametrize(
    "spec",
    [pb.ModelSpec(), pb.ModelSpec(name="tiny"), pb.ModelSpec(name="tiny", version=1)],
    ids=["nothing", "name", "version"],
)
async def test_the_answer_says_which_version_it_is_from(stub: Any, spec: pb.ModelSpec) -> None:
    """Name and number, whatever was asked for."""
    answer = await stub.Classify(pb.ClassifyRequest(images=[pixel(1)], model=spec), timeout=20)

    assert pb.ModelSpec(name="tiny", version=1) == answer.model


async def test_the_request_id_comes_back(stub: Any) -> None:
    """As it was sent."""
    answer = await stub.Classify(request(1, request_id="order 66"), timeout=20)

    assert "order 66" == answer.request_id


async def test_without_a_request_id_one_is_made_up(stub: Any) -> None:
    """Another one for each request."""
    ids = {(await stub.Classify(request(1), timeout=20)).request_id for _ in range(3)}

    assert 3 == len(ids - {""})


async def test_concurrent_requests_share_a_call(stub: Any, tiny: InProcessServer) -> None:
    """What waits for the engine is its next batch."""
    first = await block(tiny, stub)
    others = [stub.Classify(request(mark), timeout=20) for mark in (1, 2, 3)]
    await tiny.reach_queued(3)
    tiny.engine.release()
    answers = [await call for call in (first, *others)]

    assert [1, 3, 3, 3] == [answer.timings.batch_images for answer in answers]


async def test_shared_calls_are_seen_in_the_metrics(stub: Any, tiny: InProcessServer) -> None:
    """Two calls, four images."""
    await test_concurrent_requests_share_a_call(stub, tiny)

    assert (2, 4) == (
        tiny.value("saccade_batch_images_count", model="tiny"),
        tiny.value("saccade_batch_images_sum", model="tiny"),
    )


async def test_requests_that_share_a_call_get_their_own_results(
    stub: Any, tiny: InProcessServer
) -> None:
    """None is mixed up with another."""
    calls = [await block(tiny, stub)]
    calls += [stub.Classify(request(mark, 255), timeout=20) for mark in (51, 102)]
    calls += [stub.Classify(request(153), timeout=20)]
    await tiny.reach_queued(5)
    tiny.engine.release()
    scores = [await scores_of_light(call) for call in calls]

    assert [[0.0], [0.2, 1.0], [0.4, 1.0], [0.6]] == scores


async def scores_of_light(call: Any) -> list[float]:
    """The score of the class `light` for each image of an answer."""
    return [
        round(each.score, 6)
        for result in (await call).results
        for each in result.classification.classes
        if each.label == "light"
    ]


async def test_a_request_larger_than_a_batch_is_answered_whole(
    stub: Any, tiny: InProcessServer
) -> None:
    """In one answer, from several calls of the engine."""
    marks = list(range(0, 255, 17))
    scores = await scores_of_light(stub.Classify(request(*marks), timeout=20))

    assert ([round(mark / 255, 6) for mark in marks], [4, 4, 4, 3]) == (
        scores,
        [len(batch) for batch in tiny.engine.batches],
    )


async def test_the_time_in_the_queue_is_told(stub: Any, tiny: InProcessServer) -> None:
    """In microseconds, apart from that of the engine."""
    first = await block(tiny, stub)
    second = stub.Classify(request(1), timeout=20)
    await tiny.reach_queued(1)
    await asyncio.sleep(0.1)
    tiny.engine.release()
    timings = (await first).timings, (await second).timings

    assert [(True, False), (False, True)] == [
        (each.inference_us >= 90_000, each.queue_us >= 90_000) for each in timings
    ]


async def test_what_is_computed_is_counted_by_class(stub: Any, tiny: InProcessServer) -> None:
    """A drift of the answers is seen without looking at images."""
    await stub.Classify(request(0, 255, 255), timeout=20)
    labels = {"model": "tiny", "version": "1"}
    name = "saccade_predictions_total"

    assert (1, 2) == (
        tiny.value(name, label="dark", **labels),
        tiny.value(name, label="light", **labels),
    )


@pytest.mark.parametrize("stage", ["decode", "queue", "inference", "encode"])
async def test_each_stage_is_measured(stub: Any, tiny: InProcessServer, stage: str) -> None:
    """Once a request."""
    await stub.Classify(request(1, 2, 3), timeout=20)

    assert 1 == tiny.value("saccade_stage_seconds_count", stage=stage)


async def test_models_are_listed(stub: Any) -> None:
    """With their versions, states and engines."""
    answer = await stub.ListModels(pb.ListModelsRequest(), timeout=20)
    version = pb.ModelVersion(version=1, state=pb.VERSION_STATE_READY, engine="fake")

    assert [pb.Model(name="tiny", versions=[version], default_version=1)] == list(answer.models)


async def test_a_model_that_is_being_loaded_is_listed(start_in_process: StartInProcess) -> None:
    """As such; it has no default version yet."""
    server = await start_in_process(loaded=False)
    await server.reach(1, "saccade_model_state", model="tiny", version="1", state="loading")
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        answer = await stub.ListModels(pb.ListModelsRequest(), timeout=20)
    version = pb.ModelVersion(version=1, state=pb.VERSION_STATE_LOADING)

    assert [pb.Model(name="tiny", versions=[version])] == list(answer.models)


async def test_a_model_is_described(stub: Any) -> None:
    """By its manifest: input, output, class labels, evaluation, provenance."""
    answer = await stub.GetModel(pb.GetModelRequest(model=pb.ModelSpec(name="tiny")), timeout=20)

    assert (["dark", "light"], 1, "probabilities", 0.5, "none") == (
        list(answer.class_labels),
        answer.input.height,
        answer.output.name,
        answer.evaluation.accuracy,
        answer.provenance.network,
    )
