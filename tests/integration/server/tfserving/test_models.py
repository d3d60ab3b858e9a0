"""ModelService: states, and another set of models."""

from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from fixtures.in_process import InProcessServer
from fixtures.manifests import write_artifact
from integration.server.conftest import StartInProcess
from integration.server.tfserving.asking import Ask, asker, predict, refusal
from saccade_server.artifact import MANIFEST
from saccade_server.protocols import tensorflow_serving_pb as pb

State = pb.ModelVersionStatus


def status(**spec: Any) -> Any:
    """A GetModelStatusRequest."""
    return pb.GetModelStatusRequest(model_spec=spec)


def reload(*models: dict[str, Any]) -> Any:
    """A ReloadConfigRequest."""
    request = pb.ReloadConfigRequest()
    request.config.model_config_list.SetInParent()
    for model in models:
        request.config.model_config_list.config.add(**model)
    return request


@pytest.fixture
async def admin(start_in_process: StartInProcess) -> InProcessServer:
    """A server whose models may be changed."""
    return await start_in_process(may_change_models=True)


@pytest.fixture
async def change(admin: InProcessServer) -> Any:
    """Calls its methods."""
    async with grpc.aio.insecure_channel(admin.address) as channel:
        yield asker(channel)


@pytest.mark.parametrize("spec", [{"name": "tiny"}, {"name": "tiny", "version": {"value": 1}}])
async def test_a_version_that_answers_is_available(ask: Ask, spec: dict[str, Any]) -> None:
    """Whether it is named or not."""
    (version,) = (await ask("GetModelStatus", status(**spec))).model_version_status

    assert (1, State.AVAILABLE, 0) == (version.version, version.state, version.status.error_code)


@pytest.mark.parametrize(
    ("spec", "code", "text"),
    [
        ({"name": "cats"}, "NOT_FOUND", "Could not find any versions of model cats"),
        (
            {"name": "tiny", "version": {"value": 2}},
            "NOT_FOUND",
            "Could not find version 2 of model tiny",
        ),
        (
            {"name": "tiny", "version_label": "x"},
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: x",
        ),
        ({}, "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    ],
)
async def test_unknown_versions_have_no_state(
    ask: Ask, spec: dict[str, Any], code: str, text: str
) -> None:
    """With TensorFlow Serving's codes and texts."""
    assert (code, text) == await refusal(ask, "GetModelStatus", status(**spec))


async def test_a_version_that_failed_has_ended(change: Ask, admin: InProcessServer) -> None:
    """Its status says why."""
    version = admin.registry.models["tiny"][0]
    folder = version.path.parent / "2"
    manifest = write_artifact(folder) / MANIFEST
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 99'))
    request = reload({"name": "tiny", "base_path": str(folder.parent)})
    await refusal(change, "HandleReloadConfigRequest", request)
    newest = (await change("GetModelStatus", status(name="tiny"))).model_version_status[0]

    assert (2, State.END, 2, True) == (
        newest.version,
        newest.state,
        newest.status.error_code,
        "is of format 99" in newest.status.error_message,
    )


async def test_another_set_is_served(change: Ask, tmp_path: Path) -> None:
    """With its labels, once the call has returned."""
    write_artifact(tmp_path / "elsewhere" / "4")
    model = {"name": "other", "base_path": str(tmp_path / "elsewhere")}
    model["version_labels"] = {"stable": 4}  # type: ignore[assignment]
    await change("HandleReloadConfigRequest", reload(model))
    request = predict()
    request.model_spec.name, request.model_spec.version_label = "other", "stable"

    assert 4 == (await change("Predict", request)).model_spec.version.value


async def test_a_model_that_is_not_named_goes(change: Ask, tmp_path: Path) -> None:
    """It is unknown from then on."""
    write_artifact(tmp_path / "elsewhere" / "4")
    model = {"name": "other", "base_path": str(tmp_path / "elsewhere")}
    await change("HandleReloadConfigRequest", reload(model))

    assert "NOT_FOUND" == (await refusal(change, "Predict", predict()))[0]


BAD_RELOADS = {
    "no list": (
        pb.ReloadConfigRequest(), "INVALID_ARGUMENT",
        "ServerModelConfig type not supported by HandleReloadConfigRequest. "
        "Only ModelConfigList is currently supported",
    ),
    "a relative path": (
        reload({"name": "tiny", "base_path": "models"}), "INVALID_ARGUMENT",
        "Expected model tiny to have an absolute path or URI; got base_path()=models",
    ),
    "another platform": (
        reload({"name": "tiny", "base_path": "/m", "model_platform": "torch"}), "INVALID_ARGUMENT",
        "model 'tiny' is of the platform 'torch': only 'tensorflow' is offered",
    ),
    "the same name twice": (
        reload(*[{"name": "tiny", "base_path": "/m"}] * 2), "INVALID_ARGUMENT",
        "the model 'tiny' is configured twice",
    ),
    "no versions": (
        reload({"name": "tiny", "base_path": "/nowhere"}), "NOT_FOUND",
        "there is no version of 'tiny' in its folder",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_RELOADS)
async def test_a_bad_set_is_refused(change: Ask, name: str) -> None:
    """And what was served is served on."""
    request, code, text = BAD_RELOADS[name]
    refused = await refusal(change, "HandleReloadConfigRequest", request)
    served = (await change("Predict", predict())).model_spec.version.value

    assert (code, text, 1) == (*refused, served)


async def test_without_leave_the_models_stay(ask: Ask) -> None:
    """Whoever may ask may not say what is served, unless a flag says so."""
    expected = "the models may not be changed: see --model-control"
    refused = await refusal(ask, "HandleReloadConfigRequest", reload())

    assert ("PERMISSION_DENIED", expected) == refused


@pytest.mark.parametrize("spec", [{}, {"version": {"value": 1}}, {"version_label": "canary"}])
async def test_before_a_server_knows_its_models_nothing_is_not_found(
    start_in_process: StartInProcess, spec: dict[str, Any]
) -> None:
    """It is unavailable, like TensorFlow Serving's port before its models are loaded."""
    server = await start_in_process(known=False)
    async with grpc.aio.insecure_channel(server.address) as channel:
        ask = asker(channel)
        asked = {"GetModelStatus": status(name="tiny", **spec), "Predict": predict(**spec)}
        codes = [(await refusal(ask, *each))[0] for each in asked.items()]

    assert ["UNAVAILABLE", "UNAVAILABLE"] == codes
