"""Versions with a form for MNN: what runs them, and what does where that fails."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from fixtures.predictors import FakePredictor
from fixtures.server_process import ServerProcess
from saccade import Client
from saccade_models.quickening import quicken
from saccade_server.artifact import inside, read_artifact, read_manifest, write_manifest
from saccade_server.errors import EngineError
from saccade_server.loading import loader as loading
from saccade_server.loading.engine_set import EngineConfig, EngineSet
from saccade_server.loading.loader import Loader, LoadingConfig
from saccade_server.metrics import Metrics
from saccade_server.registry import LoadedVersion


@pytest.fixture(scope="module")
def quickened(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of version 2 of `digits`, with a form for MNN. Not to be changed."""
    folder = tmp_path_factory.mktemp("repository") / "digits"
    shutil.copytree(artifact, folder / "1")
    return quicken(read_artifact(folder / "1"), force=True).path


@pytest.fixture
def copied(quickened: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    folder = tmp_path / "digits" / "2"
    shutil.copytree(quickened, folder)
    return folder


@pytest.fixture
def made() -> Iterator[list[EngineSet]]:
    """The engines that were made; closed afterwards."""
    sets: list[EngineSet] = []
    yield sets
    for each in sets:
        for engine in {*each.engines, each.wide or each.engines[0]}:
            engine.close()


async def load(
    path: Path, made: list[EngineSet], *, engine: str = "auto", protect: bool = False
) -> LoadedVersion:
    """Brings up a version as a server does, beside others if they are to be protected."""
    config = EngineConfig(workers=0, threads=2, max_batch_images=32)

    def keep(model: str, version: int, artifact: object, engines: EngineSet) -> FakePredictor:
        made.append(engines)
        return FakePredictor()

    async def never(better: LoadedVersion) -> None:
        raise AssertionError(better)

    config_of = LoadingConfig(engine=engine, engines=config, cache=path.parent / "cache")
    loader = Loader(config_of, keep, Metrics(CollectorRegistry()))
    if protect:
        loader.protect()
    try:
        return await loader.load("digits", 2, read_artifact(path), never)
    finally:
        await loader.close()


def damage(path: Path) -> None:
    """Puts another graph's worth of noise in the form's place, and signs it."""
    manifest = read_manifest(path)
    (form,) = (form for form in manifest.compiled if form.engine == "mnn")
    inside(path, form.path).write_bytes(b"noise")
    write_manifest(path, manifest)


@pytest.mark.parametrize("protect", [False, True], ids=["first", "beside others"])
async def test_the_quickest_engine_is_taken(
    quickened: Path, made: list[EngineSet], protect: bool
) -> None:
    """With several engines, as LiteRT would have, that give the golden answers."""
    loaded = await load(quickened, made, protect=protect)
    image = np.zeros((1, 28, 28, 1), np.float32)
    one, other = (engine.predict(image) for engine in made[0].engines)

    assert ("mnn", True) == (loaded.engine, np.array_equal(one, other))


@pytest.mark.parametrize("protect", [False, True], ids=["first", "beside others"])
async def test_a_form_that_fails_is_passed_over(
    copied: Path, made: list[EngineSet], protect: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """LiteRT serves, and the log says why."""
    damage(copied)
    loaded = await load(copied, made, protect=protect)

    assert ("litert", True) == (
        loaded.engine,
        "model digits version 2 is not run by MNN: MNN cannot load" in caplog.text,
    )


async def test_a_form_that_fails_is_told_to_who_insists(
    copied: Path, made: list[EngineSet]
) -> None:
    """The version is not served then."""
    damage(copied)

    with pytest.raises(EngineError, match="MNN cannot load"):
        await load(copied, made, engine="mnn")


async def test_a_version_without_a_form_is_refused_to_who_insists(
    artifact: Path, made: list[EngineSet]
) -> None:
    """The text says what is missing."""
    with pytest.raises(EngineError, match="is not compiled for MNN"):
        await load(artifact, made, engine="mnn")


async def test_a_server_without_mnn_takes_the_other_form(
    quickened: Path, made: list[EngineSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Artifacts go where MNN is not."""
    monkeypatch.setattr(loading, "has_mnn", lambda: False)

    assert "litert" == (await load(quickened, made)).engine


async def test_litert_can_be_insisted_on(quickened: Path, made: list[EngineSet]) -> None:
    """Though there is a quicker one."""
    assert "litert" == (await load(quickened, made, engine="litert")).engine


def test_a_server_answers_on_mnn(quickened: Path, tmp_path: Path) -> None:
    """The golden samples over the wire, in one request and one by one."""
    files = sorted((quickened / "assets.extra" / "golden").glob("*.png"))
    process = ServerProcess(quickened.parent.parent, log=tmp_path / "log")
    try:
        process.wait_ready()
        with Client(process.grpc) as client:
            together = client.classify(files).raise_for_errors()
            alone = [client.classify(file).raise_for_errors()[0] for file in files]
            engine = client.get_model("digits").version.engine
        assert 0 == process.stop()
    finally:
        process.kill()

    assert ("mnn", [each.label for each in together]) == (engine, [each.label for each in alone])
