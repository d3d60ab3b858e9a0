"""Which versions a policy chooses, and what cannot be configured."""

from pathlib import Path

import pytest

from saccade_server.errors import ConfigError
from saccade_server.registry import All, Latest, ModelConfig, Specific, VersionPolicy
from saccade_server.registry.model_config import by_name


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Latest(), [10]),
        (Latest(count=2), [10, 2]),
        (Latest(count=9), [10, 2, 1]),
        (All(), [10, 2, 1]),
        (Specific(versions=(1, 2)), [2, 1]),
        (Specific(versions=(2, 2)), [2]),
    ],
)
def test_a_policy_chooses(policy: VersionPolicy, expected: list[int]) -> None:
    """Newest first, by number and not by text."""
    assert expected == policy.choose([1, 10, 2])


def test_a_certain_version_is_wanted_even_if_it_is_missing() -> None:
    """So that its absence shows, instead of another version in its place."""
    assert [7] == Specific(versions=(7,)).choose([1])


@pytest.mark.parametrize("versions", [(), (0,), (1, -1)])
def test_certain_versions_are_positive(versions: tuple[int, ...]) -> None:
    """And there is at least one."""
    with pytest.raises(ConfigError):
        Specific(versions=versions)


def test_the_latest_are_at_least_one() -> None:
    """A model without versions would be none."""
    with pytest.raises(ConfigError):
        Latest(count=0)


@pytest.mark.parametrize("name", ["", ".", "../digits", "a b", "a/b", "x" * 129])
def test_a_name_is_that_of_a_folder(name: str) -> None:
    """Names go into metrics, URLs and paths."""
    with pytest.raises(ConfigError):
        ModelConfig(name=name, base_path=Path("models"))


@pytest.mark.parametrize("labels", [{"": 1}, {"stable": 0}, {"x" * 129: 1}])
def test_a_label_names_a_version(labels: dict[str, int]) -> None:
    """By a text of some length and a positive number."""
    with pytest.raises(ConfigError):
        ModelConfig(name="digits", base_path=Path("models"), labels=labels)


def test_a_name_is_used_once() -> None:
    """Which of the two would answer?"""
    twice = [ModelConfig(name="digits", base_path=Path(path)) for path in ("one", "other")]
    with pytest.raises(ConfigError) as refused:
        by_name(twice)

    assert "the model 'digits' is configured twice" == str(refused.value)
