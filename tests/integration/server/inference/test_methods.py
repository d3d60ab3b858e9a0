"""The methods beside ModelInfer: one line a method, good and bad."""

from typing import Any

import grpc.aio
import pytest

from fixtures.in_process import InProcessServer
from fixtures.manifests import write_artifact
from integration.server.conftest import StartInProcess
from integration.server.failures import failure
from integration.server.inference.asking import SERVICE, Ask, asker, numbers
from saccade_server.protocols import inference_pb as pb

SHARED = "shared memory is not offered: send the tensors in the request"
FORBIDDEN = "explicit model load / unload is not allowed: start the server with"

ANSWERS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "live": ("ServerLive", {}, pb.ServerLiveResponse(live=True)),
    "ready": ("ServerReady", {}, pb.ServerReadyResponse(ready=True)),
    "model": ("ModelReady", {"name": "tiny"}, pb.ModelReadyResponse(ready=True)),
    "version": (
        "ModelReady",
        {"name": "tiny", "version": "1"},
        pb.ModelReadyResponse(ready=True),
    ),
    "unknown model": ("ModelReady", {"name": "nobody"}, pb.ModelReadyResponse(ready=False)),
    "unknown version": (
        "ModelReady",
        {"name": "tiny", "version": "2"},
        pb.ModelReadyResponse(ready=False),
    ),
    "metadata": (
        "ModelMetadata",
        {"name": "tiny"},
        pb.ModelMetadataResponse(
            name="tiny",
            versions=["1"],
            platform="tensorflow_savedmodel",
            inputs=[{"name": "images", "datatype": "FP32", "shape": [-1, 1, 1, 1]}],
            outputs=[{"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]}],
        ),
    ),
    "index": (
        "RepositoryIndex",
        {},
        pb.RepositoryIndexResponse(models=[{"name": "tiny", "version": "1", "state": "READY"}]),
    ),
    "index of what is ready": (
        "RepositoryIndex",
        {"ready": True},
        pb.RepositoryIndexResponse(models=[{"name": "tiny", "version": "1", "state": "READY"}]),
    ),
}

REFUSALS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "metadata of an unknown model": (
        "ModelMetadata",
        {"name": "nobody"},
        "NOT_FOUND",
        "Request for unknown model: 'nobody' is not found",
    ),
    "configuration of an unknown version": (
        "ModelConfig",
        {"name": "tiny", "version": "9"},
        "NOT_FOUND",
        "Request for unknown model: 'tiny' version 9 is not found",
    ),
    "configuration of no version": (
        "ModelConfig",
        {"name": "tiny", "version": "x"},
        "INVALID_ARGUMENT",
        "failed to get model version",
    ),
    "statistics of an unknown model": (
        "ModelStatistics",
        {"name": "nobody"},
        "NOT_FOUND",
        "Request for unknown model",
    ),
    "statistics of an unknown version": (
        "ModelStatistics",
        {"name": "tiny", "version": "9"},
        "NOT_FOUND",
        "Request for unknown model",
    ),
    "another repository": (
        "RepositoryIndex",
        {"repository_name": "other"},
        "UNIMPLEMENTED",
        "'repository_name' specification is not supported",
    ),
    "load": ("RepositoryModelLoad", {"model_name": "tiny"}, "PERMISSION_DENIED", FORBIDDEN),
    "unload": ("RepositoryModelUnload", {"model_name": "tiny"}, "PERMISSION_DENIED", FORBIDDEN),
    "SystemSharedMemoryStatus": ("SystemSharedMemoryStatus", {}, "UNIMPLEMENTED", SHARED),
    "SystemSharedMemoryRegister": ("SystemSharedMemoryRegister", {}, "UNIMPLEMENTED", SHARED),
    "SystemSharedMemoryUnregister": ("SystemSharedMemoryUnregister", {}, "UNIMPLEMENTED", SHARED),
    "CudaSharedMemoryStatus": ("CudaSharedMemoryStatus", {}, "UNIMPLEMENTED", SHARED),
    "CudaSharedMemoryRegister": ("CudaSharedMemoryRegister", {}, "UNIMPLEMENTED", SHARED),
    "CudaSharedMemoryUnregister": ("CudaSharedMemoryUnregister", {}, "UNIMPLEMENTED", SHARED),
    "TraceSetting": ("TraceSetting", {}, "UNIMPLEMENTED", "trace settings are not offered"),
    "LogSettings": ("LogSettings", {}, "UNIMPLEMENTED", "log settings are not offered"),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_what_is_asked_is_answered(ask: Ask, case: str) -> None:
    """About the server, its model and its repository."""
    name, fields, expected = ANSWERS[case]

    assert expected == await ask(name, **fields)


@pytest.mark.parametrize("case", REFUSALS)
async def test_what_cannot_be_answered_is_refused(ask: Ask, case: str) -> None:
    """With the code and the text that say why."""
    name, fields, code, text = REFUSALS[case]
    actual, details = await failure(ask(name, **fields))

    assert (code, text) == (actual, details[: len(text)])


async def test_every_method_of_the_service_is_there(tiny: InProcessServer) -> None:
    """None is left to the transport, which would say less."""
    declared = pb.PROTOCOL.pool.FindServiceByName(SERVICE).methods_by_name
    offered = {method.name for method in tiny.inference.methods()}

    assert set(declared) == offered


async def test_the_server_says_what_it_is(ask: Ask) -> None:
    """Its name and the extensions that it has."""
    answer = await ask("ServerMetadata")

    assert ("saccade", True, False) == (
        answer.name,
        "classification" in answer.extensions,
        "system_shared_memory" in answer.extensions,
    )


async def test_the_configuration_has_what_clients_look_for(ask: Ask) -> None:
    """The largest batch, the tensors without their first dimension, the scheduling."""
    config = (await ask("ModelConfig", name="tiny")).config

    assert (16, [1, 1, 1], pb.TYPE_FP32, [2], "dynamic_batching") == (
        config.max_batch_size,
        list(config.input[0].dims),
        config.input[0].data_type,
        list(config.output[0].dims),
        config.WhichOneof("scheduling_choice"),
    )


async def test_statistics_count_images_and_engine_calls(ask: Ask, tiny: InProcessServer) -> None:
    """By batch size, and by the requests' ends."""
    tiny.engine.poison = 13
    for marks in ((1,), (2,), (3, 4)):
        await ask("ModelInfer", numbers(*marks))
    await failure(ask("ModelInfer", numbers(13)))
    (stats,) = (await ask("ModelStatistics")).model_stats
    done = stats.inference_stats

    assert (4, 3, 3, 1, [(1, 2), (2, 1)], True) == (
        stats.inference_count,
        stats.execution_count,
        done.success.count,
        done.fail.count,
        [(each.batch_size, each.compute_infer.count) for each in stats.batch_stats],
        done.success.ns >= done.compute_infer.ns > 0,
    )


async def test_models_come_and_go_where_that_is_allowed(start_in_process: StartInProcess) -> None:
    """A call returns when the model answers, or when it is gone."""
    server = await start_in_process(may_change_models=True)
    async with grpc.aio.insecure_channel(server.address) as channel:
        ask = asker(channel)
        seen = []
        for change in ("RepositoryModelUnload", "RepositoryModelLoad"):
            await ask(change, model_name="tiny")
            (model,) = (await ask("RepositoryIndex")).models
            seen.append((model.state, (await ask("ModelReady", name="tiny")).ready))

    assert [("UNAVAILABLE", False), ("READY", True)] == seen


@pytest.mark.parametrize(
    ("change", "code"),
    [("RepositoryModelLoad", "NOT_FOUND"), ("RepositoryModelUnload", "NOT_FOUND")],
)
async def test_an_unknown_model_neither_comes_nor_goes(
    start_in_process: StartInProcess, change: str, code: str
) -> None:
    """The repository has no such folder."""
    server = await start_in_process(may_change_models=True)
    async with grpc.aio.insecure_channel(server.address) as channel:
        actual, _ = await failure(asker(channel)(change, model_name="nobody"))

    assert code == actual


async def test_a_model_is_loaded_as_the_repository_has_it(start_in_process: StartInProcess) -> None:
    """A configuration sent along would be passed over: it is refused."""
    server = await start_in_process(may_change_models=True)
    parameters = {"config": pb.ModelRepositoryParameter(string_param="{}")}
    async with grpc.aio.insecure_channel(server.address) as channel:
        code, text = await failure(
            asker(channel)("RepositoryModelLoad", model_name="tiny", parameters=parameters)
        )

    assert ("UNIMPLEMENTED", True) == (code, text.endswith("load without parameters"))


async def test_a_new_version_is_found_by_loading(
    start_in_process: StartInProcess, tmp_path: Any
) -> None:
    """As a deployment copies it and then says so."""
    server = await start_in_process(may_change_models=True)
    write_artifact(tmp_path / "repository-0" / "tiny" / "2")
    async with grpc.aio.insecure_channel(server.address) as channel:
        ask = asker(channel)
        await ask("RepositoryModelLoad", model_name="tiny")
        response = await ask("ModelInfer", numbers(1))

    assert "2" == response.model_version
