"""Looking at folders: what comes and goes by itself, and what waits."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from fixtures.clock import settle
from fixtures.manifests import minimal_manifest, write_artifact
from saccade_server.artifact import ASSETS, GRAPH, Artifact, read_artifact
from saccade_server.errors import ConfigError, EngineError, Unavailable
from saccade_server.metrics import Metrics
from saccade_server.registry import All, Latest, ModelConfig, Registry, Specific, State
from saccade_server.registry.lifecycle import MAX_REASON
from unit.server.registry.conftest import FakeLoader

WEIGHTS = "variables/variables.index"
CUT = f"{WEIGHTS} is not the file that the manifest describes"


def shown(registry: Registry, model: str = "digits") -> list[tuple[int, str]]:
    """The versions of a model and their states."""
    return [(each.version, each.state.value) for each in registry.models.get(model, [])]


def answering(registry: Registry, model: str = "digits") -> list[int]:
    """The versions of a model that answer."""
    return [each.version for each in registry.models.get(model, []) if each.ready]


def cut(folder: Path) -> bytes:
    """Takes half of a version's weights away, as in the middle of a copy; gives all of them."""
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    return whole


async def look(registry: Registry) -> None:
    """Looks once, and lets what leaves go."""
    await registry.refresh()
    await settle()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The versions whose manifests have been read, in order."""
    names: list[str] = []

    def read_and_note(path: Path) -> Artifact:
        names.append(path.name)
        return read_artifact(path)

    monkeypatch.setattr("saccade_server.registry.opening.read_artifact", read_and_note)
    return names


async def test_a_new_version_takes_over_by_itself(root: Path, registry: Registry) -> None:
    """The old one goes."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    write_artifact(root / "digits" / "2")
    await look(registry)

    assert [(2, "ready")] == shown(registry)


async def test_a_new_model_appears(root: Path, registry: Registry) -> None:
    """Beside the others."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    write_artifact(root / "cats" / "7")
    await look(registry)

    assert ({"digits", "cats"}, [7]) == (set(registry.served), answering(registry, "cats"))


async def test_a_model_that_was_removed_goes(root: Path, registry: Registry) -> None:
    """Nothing of it is left."""
    write_artifact(root / "digits" / "1")
    write_artifact(root / "cats" / "1")
    await registry.open()
    shutil.rmtree(root / "cats")
    await look(registry)

    assert (["digits"], ["digits"]) == (list(registry.served), list(registry.models))


async def test_when_the_newest_version_is_removed_the_one_before_comes_back(
    root: Path, registry: Registry
) -> None:
    """Deleting a version is a way back."""
    write_artifact(root / "digits" / "1")
    write_artifact(root / "digits" / "2")
    await registry.open()
    shutil.rmtree(root / "digits" / "2")
    await look(registry)

    assert [1] == answering(registry)


async def test_nothing_is_loaded_twice(root: Path, registry: Registry, loader: FakeLoader) -> None:
    """A look that finds nothing new does nothing."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    await look(registry)
    await look(registry)

    assert 1 == len(loader.loaded)


async def test_a_repository_that_cannot_be_seen_changes_nothing(
    root: Path, registry: Registry
) -> None:
    """As when a network file system is away for a moment."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    shutil.move(root, root.with_name("away"))
    with pytest.raises(ConfigError):
        await registry.refresh()

    assert [1] == answering(registry)


@pytest.mark.parametrize("missing", [GRAPH, WEIGHTS])
async def test_a_half_copied_version_waits(root: Path, registry: Registry, missing: str) -> None:
    """The old one answers meanwhile, and the reason can be read."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    folder = write_artifact(root / "digits" / "2")
    (folder / missing).unlink()
    await look(registry)

    assert ([(2, "waiting"), (1, "ready")], True) == (
        shown(registry),
        missing in registry.describe("digits", 2).reason,
    )


async def test_a_file_that_is_still_growing_is_told_by_its_size(
    root: Path, registry: Registry
) -> None:
    """The text names it, below the version's folder."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    cut(write_artifact(root / "digits" / "2"))
    await look(registry)

    assert CUT == registry.describe("digits", 2).reason


async def test_a_version_goes_live_when_its_copy_is_finished(
    root: Path, registry: Registry
) -> None:
    """By the look after that."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    folder = write_artifact(root / "digits" / "2")
    whole = cut(folder)
    await look(registry)
    (folder / WEIGHTS).write_bytes(whole)
    await look(registry)

    assert [(2, "ready")] == shown(registry)


async def test_what_has_not_changed_is_not_read_again(
    root: Path, registry: Registry, read: list[str]
) -> None:
    """However often it is looked at."""
    cut(write_artifact(root / "digits" / "1"))
    await registry.open()
    await look(registry)
    await look(registry)

    assert ["1"] == read


async def test_at_the_start_too_an_older_version_stands_in(root: Path, registry: Registry) -> None:
    """A restart in the middle of a copy loses nothing."""
    write_artifact(root / "digits" / "1")
    cut(write_artifact(root / "digits" / "2"))
    await registry.open()

    assert ([(2, "waiting"), (1, "ready")], True) == (shown(registry), registry.ready)


async def test_a_version_that_fails_to_load_leaves_the_old_one(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """And is not tried again and again."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    write_artifact(root / "digits" / "2")
    loader.failures["digits"] = EngineError("no such operation")
    await look(registry)
    del loader.failures["digits"]
    await look(registry)

    assert [(2, "failed"), (1, "ready")] == shown(registry)


async def test_of_several_that_fail_none_is_tried_again(
    root: Path, registry: Registry, read: list[str]
) -> None:
    """Each stays on show: forgotten, the older one would be tried at every look."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    for number in ("2", "3"):
        cut(write_artifact(root / "digits" / number))
        await look(registry)
    await look(registry)

    assert (["1", "2", "3"], [(3, "waiting"), (2, "waiting"), (1, "ready")]) == (
        read,
        shown(registry),
    )


async def test_a_version_that_failed_is_tried_again_when_it_changes(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """Its maker has repaired it."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    folder = write_artifact(root / "digits" / "2")
    loader.failures["digits"] = EngineError("no such operation")
    await look(registry)
    del loader.failures["digits"]
    os.utime(folder / GRAPH, (1, 1))
    await look(registry)

    assert [(2, "ready")] == shown(registry)


async def test_a_newer_version_helps_where_one_failed(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """The failed one is forgotten then."""
    cut(write_artifact(root / "digits" / "1"))
    await registry.open()
    write_artifact(root / "digits" / "2")
    await look(registry)

    assert [(2, "ready")] == shown(registry)


async def test_a_new_model_that_fails_does_not_end_readiness(
    root: Path, registry: Registry
) -> None:
    """The others answer as before; the new one is shown."""
    write_artifact(root / "digits" / "1")
    await registry.open()
    cut(write_artifact(root / "cats" / "1"))
    await look(registry)

    assert (True, [(1, "waiting")]) == (registry.ready, shown(registry, "cats"))


async def test_callers_of_a_version_that_waits_may_try_again(
    root: Path, registry: Registry
) -> None:
    """They are not told of our files."""
    cut(write_artifact(root / "digits" / "1"))
    await registry.open()

    with pytest.raises(Unavailable, match="version 1 of 'digits' is not complete yet"):
        registry.find("digits")


async def test_the_state_of_a_version_that_waits_is_a_metric(
    root: Path, registry: Registry, metrics: Metrics
) -> None:
    """So that a copy that never ends is noticed."""
    cut(write_artifact(root / "digits" / "1"))
    await registry.open()
    labels = {"model": "digits", "version": "1", "state": "waiting"}

    assert 1 == metrics.registry.get_sample_value("saccade_model_state", labels)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(Latest(count=2), [4, 3]), (All(), [4, 3, 2]), (Specific(versions=(2, 3)), [3, 2])],
)
async def test_a_look_keeps_to_the_policy(
    root: Path, registry: Registry, policy: Any, expected: list[int]
) -> None:
    """Version 1 has gone, version 4 has come."""
    for version in "123":
        write_artifact(root / "digits" / version)
    config = ModelConfig(name="digits", base_path=root / "digits", policy=policy)
    await registry.open([config])
    shutil.rmtree(root / "digits" / "1")
    write_artifact(root / "digits" / "4")
    await look(registry)

    assert expected == answering(registry)


async def test_a_label_is_set_when_its_version_has_come(root: Path, registry: Registry) -> None:
    """It was configured before that."""
    write_artifact(root / "digits" / "1")
    config = ModelConfig(
        name="digits", base_path=root / "digits", policy=All(), labels={"canary": 2}
    )
    await registry.open([config])
    write_artifact(root / "digits" / "2")
    await look(registry)

    assert 2 == registry.find("digits", label="canary").version


async def test_a_model_that_a_caller_unloaded_stays_so(root: Path, registry: Registry) -> None:
    """A look does not bring it back."""
    write_artifact(root / "digits" / "1")
    await registry.open([ModelConfig(name="digits", base_path=root / "digits")])
    await registry.unload("digits")
    await look(registry)

    assert [] == answering(registry)


async def test_a_reason_holds_no_folder_of_the_server(
    root: Path, registry: Registry, loader: FakeLoader
) -> None:
    """It is shown to callers."""
    write_artifact(root / "digits" / "1")
    loader.failures["digits"] = EngineError(f"cannot open {root}/digits/1/x or /var/cache/y.bin")
    await registry.open()

    assert "cannot open x or y.bin" == registry.describe("digits").reason


async def test_a_reason_is_short(root: Path, registry: Registry) -> None:
    """It may quote the manifest, and is a part of every list of the models."""
    manifest = minimal_manifest()
    manifest.golden.samples.add(path="x" * 100_000, probabilities=[1.0])
    write_artifact(root / "digits" / "1", manifest)
    await registry.open()
    (version,) = registry.models["digits"]

    assert (State.FAILED, True, True) == (
        version.state,
        version.reason.startswith("assets.extra/manifest.json: golden sample xxx"),
        len(version.reason) <= MAX_REASON,
    )


async def test_a_link_out_of_the_repository_is_refused(root: Path, registry: Registry) -> None:
    """The server lives, and says what it refused."""
    folder = write_artifact(root / "digits" / "1")
    (folder / "assets").symlink_to("/etc")
    await registry.open()
    version = registry.describe("digits")

    assert (State.FAILED, "assets is a link that leads out of the repository") == (
        version.state,
        version.reason,
    )


@pytest.fixture
def bare(root: Path) -> Path:
    """A SavedModel without a manifest."""
    folder = write_artifact(root / "digits" / "1")
    shutil.rmtree(folder / ASSETS)
    return folder


@pytest.mark.parametrize(("settle_s", "expected"), [(0.0, "ready"), (3600.0, "waiting")])
async def test_a_folder_without_checksums_must_stand_still(
    root: Path, loader: FakeLoader, metrics: Metrics, bare: Path, settle_s: float, expected: str
) -> None:
    """Nothing else tells that its copy is finished."""
    known = read_artifact(write_artifact(root.parent / "known"))

    async def describe(path: Path) -> Artifact:
        return known

    registry = Registry(root, loader.load, metrics, describe=describe, settle_s=settle_s)
    await registry.open()

    assert [(1, expected)] == shown(registry)
