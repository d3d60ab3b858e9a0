"""Which version answers, and what is said where none does."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fixtures.manifests import write_artifact
from fixtures.predictors import FakePredictor
from saccade_server.artifact import read_artifact
from saccade_server.errors import (
    ArtifactError,
    ConfigError,
    EngineError,
    InvalidArgument,
    NotFound,
    SaccadeError,
    Unavailable,
)
from saccade_server.metrics import Metrics
from saccade_server.registry import Registry, State, Version
from unit.server.registry.conftest import FakeLoader, make_version


def refusal(registry: Registry, kind: type[SaccadeError], *spec: Any) -> str:
    """The text with which a request is refused, as an error of that kind."""
    with pytest.raises(kind) as refused:
        registry.find(*spec)
    assert kind is type(refused.value)
    return refused.value.message


async def test_the_newest_version_is_loaded(root: Path, registry: Registry) -> None:
    """The older ones are not."""
    for version in ("1", "3", "2"):
        write_artifact(root / "digits" / version)
    await registry.open()

    assert [3] == [version.version for version in registry.models["digits"]]


@pytest.mark.parametrize("spec", [("digits",), ("digits", 3), ("",), ("", 3)])
async def test_a_version_is_found(root: Path, registry: Registry, spec: tuple[Any, ...]) -> None:
    """By the model's name, or without where there is one model; by its number, or without."""
    write_artifact(root / "digits" / "3")
    await registry.open()
    found = registry.find(*spec)

    assert ("digits", 3) == (found.model, found.version)


async def test_with_several_models_one_must_be_named(root: Path, registry: Registry) -> None:
    """The text says which there are."""
    write_artifact(root / "digits" / "1")
    write_artifact(root / "cats" / "1")
    await registry.open()

    assert "name a model, one of: cats, digits" == refusal(registry, InvalidArgument, "")


async def test_an_unknown_model_is_not_found(root: Path, registry: Registry) -> None:
    """The text says which there are."""
    write_artifact(root / "digits" / "1")
    await registry.open()

    assert "no model 'dogs'; there are: digits" == refusal(registry, NotFound, "dogs")


async def test_an_unknown_version_is_not_found(root: Path, registry: Registry) -> None:
    """The text says which there are."""
    write_artifact(root / "digits" / "1")
    await registry.open()

    assert "no version 7 of 'digits'; there are: 1" == refusal(registry, NotFound, "digits", 7)


async def test_an_unknown_label_is_not_found(root: Path, registry: Registry) -> None:
    """It is not taken for the default."""
    write_artifact(root / "digits" / "1")
    await registry.open()

    expected = "no version of 'digits' has the label 'canary'"
    assert expected == refusal(registry, NotFound, "digits", 0, "canary")


@pytest.mark.parametrize("model", ["", "digits"])
async def test_an_empty_repository_has_no_model(registry: Registry, model: str) -> None:
    """The text says that there are none."""
    await registry.open()

    assert refusal(registry, NotFound, model).endswith("there are: none")


UNKNOWN = "this server does not know its models yet, or no longer: try again"


class HeldSource:
    """A source that is slow to tell what there is.

    Attributes:
        asked: Set when it is asked.
        release: Lets it answer.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.release = asyncio.Event()

    async def look(self, root: Path | None, models: object, in_use: object) -> None:
        """See `Source.look`."""
        self.asked.set()
        await self.release.wait()

    def owns(self, path: Path) -> bool:
        """Nothing: the folders are there."""
        return False

    async def fetch(self, version: Version) -> None:
        """Nothing to do."""

    async def snapshot(self, path: Path) -> None:
        """Not to be told."""


@pytest.mark.parametrize("model", ["", "cats", "digits", "dogs"])
async def test_before_the_first_look_every_model_is_unavailable(
    root: Path, loader: FakeLoader, metrics: Metrics, model: str
) -> None:
    """Whoever comes too early must not take it that there is no such model."""
    for name in ("cats", "digits"):
        write_artifact(root / name / "1")
    source = HeldSource()
    registry = Registry(root, loader.load, metrics, source=source)
    opening = asyncio.create_task(registry.open())
    await source.asked.wait()

    assert UNKNOWN == refusal(registry, Unavailable, model)
    source.release.set()
    await opening


async def test_while_the_first_of_two_models_loads_none_is_chosen(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Both are known by then: a request must name one."""
    for name in ("cats", "digits"):
        write_artifact(root / name / "1")
    loader.hold()
    opening = asyncio.create_task(registry.open())
    await loader.asked.wait()

    assert "name a model, one of: cats, digits" == refusal(registry, InvalidArgument, "")
    loader.release()
    await opening


async def test_at_the_end_a_model_that_has_left_is_unavailable(
    root: Path, registry: Registry
) -> None:
    """Other replicas have it."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    await registry.close()

    assert UNKNOWN == refusal(registry, Unavailable, "digits")


async def test_a_model_that_is_being_loaded_is_unavailable(root: Path, registry: Registry) -> None:
    """A retry makes sense."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    version = registry.models["digits"][0]
    version.state, version.loaded = State.LOADING, None

    expected = "model 'digits' is loading: try again later"
    assert expected == refusal(registry, Unavailable, "digits")


@pytest.mark.parametrize(
    "error", [ArtifactError("golden sample 3 differs"), EngineError("no such operation")]
)
async def test_a_version_that_cannot_be_loaded_has_failed(
    root: Path, registry: Registry, loader: FakeLoader, error: Exception
) -> None:
    """Its state tells why."""
    write_artifact(root / "digits" / "1")
    loader.failures["digits"] = error
    await registry.open()
    version = registry.describe("digits")

    assert (State.FAILED, str(error)) == (version.state, version.reason)


async def test_callers_are_not_told_why_a_version_failed(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """The reason holds paths of ours; callers get a code that lets them go elsewhere."""
    write_artifact(root / "digits" / "1")
    loader.failures["digits"] = ArtifactError("/secret/path is missing")
    await registry.open()

    expected = "version 1 of 'digits' failed to load"
    assert expected == refusal(registry, Unavailable, "digits")


async def test_a_folder_that_is_no_artifact_has_failed(root: Path, registry: Registry) -> None:
    """It is not given to the loader at all."""
    (root / "digits" / "1").mkdir(parents=True)
    await registry.open()
    expected = "has no saved_model.pb: it is not a SavedModel, or not copied whole"

    assert registry.describe("digits").reason.endswith(expected)


@pytest.mark.parametrize(
    "error", [ArtifactError("damaged"), EngineError("failed"), RuntimeError("quite unforeseen")]
)
async def test_a_failing_load_leaves_the_others(
    root: Path, registry: Registry, loader: FakeLoader, error: Exception
) -> None:
    """Whatever went wrong with one model, the next one serves."""
    write_artifact(root / "a-bad-one" / "1")
    write_artifact(root / "digits" / "1")
    loader.failures["a-bad-one"] = error
    await registry.open()

    assert "digits" == registry.find("digits").model


async def test_a_repository_that_is_no_folder_is_a_wrong_setting(
    root: Path, loader: FakeLoader, metrics: Metrics
) -> None:
    """The process does not start."""
    registry = Registry(root / "nowhere", loader.load, metrics)

    with pytest.raises(ConfigError):
        await registry.open()


async def test_with_all_models_up_it_is_ready(root: Path, registry: Registry) -> None:
    """Requests may be sent."""
    write_artifact(root / "digits" / "1")
    write_artifact(root / "cats" / "1")
    await registry.open()

    assert registry.ready


async def test_with_a_failed_model_it_is_not_ready(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """A roll-out stops there."""
    write_artifact(root / "digits" / "1")
    write_artifact(root / "cats" / "1")
    loader.failures["cats"] = EngineError("failed")
    await registry.open()

    assert not registry.ready


async def test_without_models_it_is_not_ready(registry: Registry) -> None:
    """There is nothing to send requests to."""
    await registry.open()

    assert not registry.ready


@pytest.mark.parametrize(("failing", "expected"), [(False, "ready"), (True, "failed")])
async def test_the_state_is_a_metric(
    root: Path,
    registry: Registry,
    loader: FakeLoader,
    metrics: Metrics,
    failing: bool,
    expected: str,
) -> None:
    """1 for the state that the version is in, 0 for the others."""
    write_artifact(root / "digits" / "1")
    if failing:
        loader.failures["digits"] = EngineError("failed")
    await registry.open()
    states = {
        sample.labels["state"]
        for metric in metrics.model_state.collect()
        for sample in metric.samples
        if sample.value
    }

    assert {expected} == states


async def test_close_closes_all_versions(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Their queues and engines."""
    write_artifact(root / "digits" / "1")
    write_artifact(root / "cats" / "1")
    await registry.open()
    await registry.close()

    assert [True, True] == [is_closed(version.predictor) for version in loader.loaded]


async def test_a_quicker_engine_takes_over(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """The next request is answered by it."""
    artifact = read_artifact(write_artifact(root / "digits" / "1"))
    await registry.open()
    better = make_version("digits", 1, artifact, engine="litert")
    await loader.on_better["digits"](better)

    assert better is registry.find("digits")


async def test_the_engine_that_was_replaced_is_freed(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Once its requests are answered."""
    artifact = read_artifact(write_artifact(root / "digits" / "1"))
    await registry.open()
    await loader.on_better["digits"](make_version("digits", 1, artifact, engine="litert"))

    assert is_closed(loader.loaded[0].predictor)


async def test_the_metric_names_the_engine_that_answers(
    root: Path, registry: Registry, loader: FakeLoader, metrics: Metrics
) -> None:
    """And not the one before."""
    artifact = read_artifact(write_artifact(root / "digits" / "1"))
    await registry.open()
    await loader.on_better["digits"](make_version("digits", 1, artifact, engine="litert"))
    samples = [sample for metric in metrics.model_info.collect() for sample in metric.samples]

    assert [("litert", 1.0)] == [(sample.labels["engine"], sample.value) for sample in samples]


def is_closed(predictor: object) -> bool:
    """Whether a version's predictor was closed."""
    assert isinstance(predictor, FakePredictor)
    return predictor.closed
