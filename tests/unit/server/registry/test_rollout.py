"""Changing what is served, while it is served."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fixtures.clock import settle
from fixtures.manifests import write_artifact
from fixtures.predictors import FakePredictor
from saccade_server.errors import (
    ConfigError,
    EngineError,
    FailedPrecondition,
    NotFound,
    SaccadeError,
    Unavailable,
)
from saccade_server.metrics import Metrics
from saccade_server.registry import (
    All,
    Latest,
    LoadedVersion,
    ModelConfig,
    Registry,
    Specific,
    State,
)
from unit.server.registry.conftest import FakeLoader


def add(root: Path, *versions: str) -> None:
    """Adds versions to the repository: "digits/1"."""
    for version in versions:
        write_artifact(root / version)


def config(root: Path, name: str = "digits", **rest: Any) -> ModelConfig:
    """A model of the repository."""
    return ModelConfig(name=name, base_path=root / name, **rest)


def ready(registry: Registry) -> list[tuple[str, int]]:
    """What answers."""
    models = registry.models.values()
    return [(each.model, each.version) for versions in models for each in versions if each.ready]


def series(metrics: Metrics) -> set[tuple[str, str]]:
    """The models and versions that any metric knows."""
    samples = [sample for family in metrics.registry.collect() for sample in family.samples]
    return {
        (sample.labels["model"], sample.labels["version"])
        for sample in samples
        if "version" in sample.labels and "model" in sample.labels
    }


async def refusal(kind: type[SaccadeError], change: Any) -> str:
    """The text with which a change is refused, as an error of that kind."""
    with pytest.raises(kind) as refused:
        await change
    return refused.value.message


def closed(versions: Iterable[LoadedVersion]) -> list[bool]:
    """Whether each version's predictor was closed."""
    predictors = [version.predictor for version in versions]
    return [isinstance(each, FakePredictor) and each.closed for each in predictors]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(Latest(count=2), [3, 2]), (All(), [3, 2, 1]), (Specific(versions=(1,)), [1])],
)
async def test_the_policy_decides_what_is_loaded(
    root: Path, registry: Registry, policy: Any, expected: list[int]
) -> None:
    """From the start."""
    add(root, "digits/1", "digits/2", "digits/3")
    await registry.open([config(root, policy=policy)])

    assert expected == [version.version for version in registry.models["digits"]]


async def test_of_several_versions_the_newest_answers(root: Path, registry: Registry) -> None:
    """Unless the request names one."""
    add(root, "digits/1", "digits/2")
    await registry.open([config(root, policy=All())])

    assert (2, 1) == (registry.find("digits").version, registry.find("digits", 1).version)


async def test_a_version_that_failed_leaves_the_older_one(root: Path, registry: Registry) -> None:
    """The model goes on answering."""
    add(root, "digits/1")
    (root / "digits" / "2").mkdir()
    await registry.open([config(root, policy=All())])

    assert 1 == registry.find("digits").version


async def test_a_version_is_found_by_its_label(root: Path, registry: Registry) -> None:
    """Instead of its number."""
    add(root, "digits/1", "digits/2")
    await registry.open([config(root, policy=All(), labels={"stable": 1, "canary": 2})])
    found = [registry.find("digits", label=label).version for label in ("stable", "canary")]

    assert [1, 2] == found


async def test_a_label_of_a_version_that_failed_is_not_set(root: Path, registry: Registry) -> None:
    """It does not point at something else either."""
    add(root, "digits/1")
    (root / "digits" / "2").mkdir()
    await registry.open([config(root, policy=All(), labels={"canary": 2})])

    with pytest.raises(NotFound):
        registry.find("digits", label="canary")


async def test_labels_move(root: Path, registry: Registry) -> None:
    """Without a version being loaded."""
    add(root, "digits/1", "digits/2")
    await registry.open([config(root, policy=All(), labels={"stable": 1})])
    await registry.configure([config(root, policy=All(), labels={"stable": 2})])

    assert 2 == registry.find("digits", label="stable").version


async def test_a_label_moves_only_to_a_version_that_is_served(
    root: Path, registry: Registry
) -> None:
    """The whole change is refused."""
    add(root, "digits/1")
    await registry.open([config(root, labels={"stable": 1})])
    change = registry.configure([config(root, labels={"stable": 2})])
    expected = "the label 'stable' cannot go to version 2 of 'digits': served are 1"

    assert expected == await refusal(FailedPrecondition, change)


async def test_a_new_version_takes_over(root: Path, registry: Registry) -> None:
    """Once it is loaded; the old one goes."""
    add(root, "digits/1")
    await registry.open()
    add(root, "digits/2")
    await registry.load("digits")

    assert [("digits", 2)] == ready(registry)


async def test_while_a_version_loads_the_old_one_answers(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Loading takes as long as it takes."""
    add(root, "digits/1")
    await registry.open()
    add(root, "digits/2")
    loader.hold()
    change = asyncio.ensure_future(registry.load("digits"))
    await loader.asked.wait()
    during = registry.find("digits").version, registry.describe("digits", 2).state
    loader.release()
    await change

    assert (1, State.LOADING) == during


async def test_a_change_switches_all_models_at_once(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """What is loaded first waits for the rest."""
    add(root, "digits/1")
    await registry.open()
    add(root, "cats/1", "dogs/1")
    loader.hold()
    models = [config(root, name) for name in ("cats", "dogs")]
    change = asyncio.ensure_future(registry.configure(models))
    await loader.asked.wait()
    before = ready(registry)
    loader.release()
    await change

    assert ([("digits", 1)], [("cats", 1), ("dogs", 1)]) == (before, ready(registry))


async def test_what_is_served_already_is_not_loaded_again(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Though the change names it."""
    add(root, "digits/1", "cats/1")
    await registry.open([config(root)])
    await registry.configure([config(root), config(root, "cats")])

    assert ["digits", "cats"] == [version.model for version in loader.loaded]


async def test_a_model_that_is_not_named_is_unloaded(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Its engine is freed."""
    add(root, "digits/1", "cats/1")
    await registry.open()
    await registry.configure([config(root)])
    await settle()

    assert ([True, False], ["digits"]) == (closed(loader.loaded), list(registry.models))


@pytest.mark.parametrize(("name", "kind"), [("nowhere", NotFound), ("bad", FailedPrecondition)])
async def test_after_an_error_everything_is_as_it_was(
    root: Path, registry: Registry, loader: FakeLoader, name: str, kind: type[SaccadeError]
) -> None:
    """What could be loaded is not served, what was to go stays."""
    add(root, "digits/1")
    await registry.open()
    add(root, "digits/2", "bad/1")
    loader.failures["bad"] = EngineError("no such operation")
    await refusal(kind, registry.configure([config(root), config(root, name)]))
    await settle()

    assert (True, [("digits", 1)]) == (registry.ready, ready(registry))


async def test_an_error_says_what_could_not_be_loaded(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """And why: whoever may change the models may know."""
    add(root, "digits/1")
    await registry.open()
    add(root, "bad/3")
    loader.failures["bad"] = EngineError("no such operation")
    expected = "version 3 of 'bad' failed to load: no such operation"

    assert expected == await refusal(FailedPrecondition, registry.load("bad"))


async def test_a_new_version_that_failed_stays_on_show(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """The old one serves, and the reason can be read."""
    add(root, "digits/1")
    await registry.open()
    add(root, "digits/2")
    loader.failures["digits"] = EngineError("no such operation")
    await refusal(FailedPrecondition, registry.load("digits"))
    shown = [(each.version, each.state, each.reason) for each in registry.models["digits"]]

    assert [(2, State.FAILED, "no such operation"), (1, State.READY, "")] == shown


async def test_a_version_that_failed_can_be_loaded_again(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Once its trouble is over."""
    add(root, "digits/1")
    loader.failures["digits"] = EngineError("no memory")
    await registry.open()
    del loader.failures["digits"]
    await registry.load("digits")

    assert [("digits", 1)] == ready(registry)


async def test_a_number_means_one_folder(root: Path, registry: Registry) -> None:
    """Another folder's version of the same number does not pass for the one that is served."""
    add(root, "digits/1", "other/1")
    await registry.open([config(root)])
    moved = ModelConfig(name="digits", base_path=root / "other")
    expected = "version 1 of 'digits' is served from another folder: unload the model first"

    assert expected == await refusal(FailedPrecondition, registry.configure([moved]))


async def test_the_same_model_twice_is_refused(root: Path, registry: Registry) -> None:
    """Before anything is done."""
    add(root, "digits/1")
    await registry.open()
    with pytest.raises(ConfigError):
        await registry.configure([config(root), config(root)])

    assert [("digits", 1)] == ready(registry)


async def test_an_unloaded_model_is_unknown(root: Path, registry: Registry) -> None:
    """To requests."""
    add(root, "digits/1")
    await registry.open()
    await registry.unload("digits")

    with pytest.raises(NotFound):
        registry.find("digits")


async def test_an_unloaded_model_can_be_loaded_as_it_was(root: Path, registry: Registry) -> None:
    """With its policy and its labels."""
    add(root, "digits/1", "digits/2")
    await registry.open([config(root, policy=All(), labels={"stable": 1})])
    await registry.unload("digits")
    await registry.load("digits")

    assert 1 == registry.find("digits", label="stable").version


@pytest.mark.parametrize("model", ["dogs", "../digits", ""])
async def test_only_a_model_of_the_repository_is_loaded(
    root: Path, registry: Registry, model: str
) -> None:
    """A name leads nowhere else."""
    add(root, "digits/1")
    await registry.open()

    with pytest.raises(NotFound):
        await registry.load(model)


async def test_an_unknown_model_is_not_unloaded(root: Path, registry: Registry) -> None:
    """The caller learns that it was mistaken."""
    await registry.open()

    assert "no model 'dogs' is loaded" == await refusal(NotFound, registry.unload("dogs"))


async def test_requests_under_way_finish_on_an_unloaded_version(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Even those that no queue knows yet."""
    add(root, "digits/1")
    await registry.open()
    with registry.find("digits").users.hold():
        change = asyncio.ensure_future(registry.unload("digits"))
        await settle()
        before = closed(loader.loaded)
    await change

    assert ([False], [True]) == (before, closed(loader.loaded))


async def test_a_version_that_is_leaving_takes_no_requests(root: Path, registry: Registry) -> None:
    """They can go to another replica."""
    add(root, "digits/1")
    await registry.open()
    with registry.find("digits").users.hold():
        change = asyncio.ensure_future(registry.unload("digits"))
        await settle()
        with pytest.raises(Unavailable) as refused:
            registry.find("digits")
    await change

    assert "model 'digits' is unloading: try again later" == refused.value.message


async def test_a_model_that_is_loaded_first_does_not_end_readiness(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """The others answer as before."""
    add(root, "digits/1")
    await registry.open()
    add(root, "cats/1")
    loader.hold()
    change = asyncio.ensure_future(registry.load("cats"))
    await loader.asked.wait()
    during = registry.ready
    loader.release()
    await change

    assert during


async def test_a_change_is_made_to_its_end(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Even if whoever asked for it has gone."""
    add(root, "digits/1", "cats/1")
    await registry.open()
    add(root, "digits/2")
    loader.hold()
    change = asyncio.ensure_future(registry.load("digits"))
    await loader.asked.wait()
    change.cancel()
    loader.release()
    await registry.unload("cats")  # Waits for its turn.

    assert [("digits", 2)] == ready(registry)


async def test_closing_gives_up_a_change(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """A load that hangs does not keep the process alive."""
    add(root, "digits/1")
    await registry.open()
    add(root, "digits/2")
    loader.hold()
    change = asyncio.ensure_future(registry.load("digits"))
    await loader.asked.wait()
    await registry.close()

    assert (True, [True]) == (change.cancelled(), closed(loader.loaded))


async def test_a_version_that_is_gone_leaves_no_series(
    root: Path, registry: Registry, metrics: Metrics
) -> None:
    """They would pile up with every version."""
    add(root, "digits/1")
    await registry.open()
    metrics.predictions.labels("digits", "1", "dark").inc()
    metrics.engine_fallback.labels("digits", "1", "not_compiled").set(1)
    add(root, "digits/2")
    await registry.load("digits")
    await settle()

    assert {("digits", "2")} == series(metrics)


async def test_a_version_that_is_refused_leaves_no_series(
    root: Path, registry: Registry, loader: FakeLoader, metrics: Metrics
) -> None:
    """Neither do the others of the same change."""
    add(root, "digits/1")
    await registry.open()
    add(root, "cats/1", "bad/1")
    loader.failures["bad"] = EngineError("no such operation")
    change = registry.configure([config(root, name) for name in ("cats", "bad")])
    await refusal(FailedPrecondition, change)
    await settle()

    assert {("digits", "1")} == series(metrics)


async def test_the_index_holds_what_is_not_loaded_too(root: Path, registry: Registry) -> None:
    """All of the repository, by model, newest first."""
    add(root, "digits/1", "digits/2", "cats/1")
    await registry.open([config(root)])
    index = [(each.model, each.version, each.state) for each in await registry.index()]

    assert [
        ("cats", 1, State.UNLOADED),
        ("digits", 2, State.READY),
        ("digits", 1, State.UNLOADED),
    ] == index


async def test_the_index_holds_models_that_are_somewhere_else(
    root: Path, registry: Registry, tmp_path: Path
) -> None:
    """Beside those of the repository."""
    add(root, "digits/1")
    write_artifact(tmp_path / "elsewhere" / "5")
    await registry.open([ModelConfig(name="cats", base_path=tmp_path / "elsewhere")])

    assert [("cats", 5), ("digits", 1)] == [(v.model, v.version) for v in await registry.index()]
