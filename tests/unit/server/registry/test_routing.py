"""Which version answers where traffic is split."""

from pathlib import Path

import pytest

from fixtures.clock import settle
from fixtures.manifests import write_artifact
from saccade_server.errors import NotFound
from saccade_server.registry import All, ModelConfig, Registry, Traffic

SPLIT = Traffic(labels={"stable": 1, "canary": 2}, split={"stable": 60, "canary": 40})
KEYS = [f"user-{number}" for number in range(100)]


async def open_versions(root: Path, registry: Registry, *versions: str) -> None:
    """Serves these versions, all of them."""
    for version in versions:
        write_artifact(root / "digits" / version)
    await registry.open([ModelConfig(name="digits", base_path=root / "digits", policy=All())])


def answering(registry: Registry) -> list[int]:
    """The version for each key."""
    return [registry.find("digits", key=key).version for key in KEYS]


async def test_keys_are_shared_between_labels(root: Path, registry: Registry) -> None:
    """As the split says, and the newest version gets no more than its share."""
    await open_versions(root, registry, "1", "2", "3")
    registry.direct({"digits": SPLIT})
    numbers = {"stable": 1, "canary": 2}

    assert [numbers[SPLIT.choose("digits", key, numbers)] for key in KEYS] == answering(registry)


async def test_who_names_a_version_or_label_gets_it(root: Path, registry: Registry) -> None:
    """Whatever the key."""
    await open_versions(root, registry, "1", "2")
    registry.direct({"digits": SPLIT})
    found = {registry.find("digits", 1, key=key).version for key in KEYS}
    found |= {registry.find("digits", label="stable", key=key).version for key in KEYS}

    assert {1} == found


async def test_without_a_key_the_largest_share_answers(root: Path, registry: Registry) -> None:
    """As for those who ask what the model takes."""
    await open_versions(root, registry, "1", "2")
    registry.direct({"digits": SPLIT})

    assert (1, 1) == (registry.find("digits").version, registry.default_version("digits"))


async def test_when_a_label_has_no_version_the_others_take_over(
    root: Path, registry: Registry
) -> None:
    """No request fails for a canary that is gone."""
    await open_versions(root, registry, "1")
    registry.direct({"digits": SPLIT})

    assert {1} == set(answering(registry))


async def test_when_no_label_has_a_version_the_newest_answers(
    root: Path, registry: Registry
) -> None:
    """As without a split."""
    await open_versions(root, registry, "7", "8")
    registry.direct({"digits": SPLIT})

    assert {8} == set(answering(registry))


async def test_a_version_for_shadow_copies_answers_nobody_by_default(
    root: Path, registry: Registry
) -> None:
    """Though it is the newest; who names it gets it."""
    await open_versions(root, registry, "1", "2")
    registry.direct({"digits": Traffic(labels={"next": 2}, shadow={"next": 10})})

    assert (1, 2) == (
        registry.find("digits").version,
        registry.find("digits", label="next").version,
    )


async def test_labels_move_at_once(root: Path, registry: Registry) -> None:
    """And those that are said no more are gone."""
    await open_versions(root, registry, "1", "2")
    registry.direct({"digits": Traffic(labels={"stable": 1, "old": 1})})
    registry.direct({"digits": Traffic(labels={"stable": 2})})

    assert 2 == registry.find("digits", label="stable").version
    with pytest.raises(NotFound):
        registry.find("digits", label="old")


async def test_a_labelled_version_is_kept_whatever_the_policy_says(
    root: Path, registry: Registry
) -> None:
    """A new version does not push it out; without its label it goes."""
    write_artifact(root / "digits" / "1")
    registry.direct({"digits": Traffic(labels={"stable": 1})})
    await registry.open()
    write_artifact(root / "digits" / "2")
    await registry.refresh()
    labelled = [each.version for each in registry.models["digits"] if each.ready]
    registry.direct({})
    await registry.refresh()
    await settle()

    assert ([2, 1], [2]) == (labelled, [each.version for each in registry.models["digits"]])
