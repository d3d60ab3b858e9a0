"""What a traffic file says, and to which label a key falls."""

from itertools import pairwise

import pytest

from saccade_server.errors import ConfigError
from saccade_server.registry import Traffic
from saccade_server.registry.traffic import parse_traffic

KEYS = [f"user-{number}" for number in range(4000)]


def shared(**split: float) -> list[str]:
    """The label of each key."""
    traffic = Traffic(split=split)
    return [traffic.choose("digits", key, split) for key in KEYS]


def test_a_file_says_labels_shares_and_copies() -> None:
    """By model."""
    text = """
    [digits]
    labels = { stable = 3, canary = 4, next = 5 }
    split = { stable = 97.5, canary = 2.5 }
    shadow = { next = 10 }
    [cats]
    rollback = false
    """
    digits = Traffic(
        labels={"stable": 3, "canary": 4, "next": 5},
        split={"stable": 97.5, "canary": 2.5},
        shadow={"next": 10},
    )

    assert {"digits": digits, "cats": Traffic(rollback=False)} == parse_traffic(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[digits", "no TOML"),
        ("digits = 3", "'digits' is no table with the name of a model"),
        ("['../etc']", "'../etc' is no table with the name of a model"),
        ("[m]\nsplits = {}", "model 'm': unknown key 'splits', there are: labels, split"),
        ("[m]\nlabels = 3", "model 'm': 'labels' must be a table"),
        ("[m]\nlabels = { a = 0 }", "the label 'a' cannot be 0"),
        ("[m]\nlabels = { a = 1.5 }", "'a' in 'labels' must be a whole number"),
        ("[m]\nlabels = { '' = 1 }", "a label has 1 to 128 characters"),
        ("[m]\nsplit = { a = true }", "'a' in 'split' must be a number"),
        ("[m]\nsplit = { a = 95, b = 4 }", "the shares of the split must be 100 together, got 99"),
        ("[m]\nsplit = { a = 101, b = -1 }", "the share of 'a' must be 0 to 100, got 101"),
        ("[m]\nsplit = { a = nan }", "the share of 'a' must be 0 to 100, got nan"),
        ("[m]\nshadow = { a = inf }", "the share of 'a' must be 0 to 100, got inf"),
        ("[m]\nrollback = 1", "'rollback' must be true or false"),
    ],
)
def test_a_wrong_file_is_told(text: str, expected: str) -> None:
    """The text says where and what is right."""
    with pytest.raises(ConfigError) as refused:
        parse_traffic(text)

    assert expected in str(refused.value)


def test_a_key_falls_to_the_same_label_everywhere() -> None:
    """In every process, on every machine and in every release: these were written down once."""
    traffic = Traffic(split={"stable": 50, "canary": 50})

    assert ["stable", "stable", "canary", "canary", "stable", "stable"] == [
        traffic.choose("digits", key, traffic.split) for key in KEYS[:6]
    ]


@pytest.mark.parametrize("percent", [1, 5, 50])
def test_the_shares_are_those_that_were_asked_for(percent: float) -> None:
    """Within four standard deviations of the binomial distribution."""
    canary = shared(stable=100 - percent, canary=percent).count("canary")
    share = percent / 100
    deviation = (len(KEYS) * share * (1 - share)) ** 0.5

    assert abs(canary - len(KEYS) * share) <= 4 * deviation


def test_a_share_that_grows_takes_keys_and_gives_none_away() -> None:
    """Whoever has seen the canary stays with it."""
    shares = [0, 1, 5, 25, 60, 100]
    labels = [shared(stable=100 - percent, canary=percent) for percent in shares]
    moves = {move for one, other in pairwise(labels) for move in zip(one, other, strict=True)}

    assert {("stable", "stable"), ("stable", "canary"), ("canary", "canary")} == moves


def test_keys_of_a_label_that_is_missing_go_to_the_others() -> None:
    """Nobody else moves."""
    traffic = Traffic(split={"a": 50, "b": 30, "c": 20})
    pairs = [
        (traffic.choose("digits", key, "abc"), traffic.choose("digits", key, "ab")) for key in KEYS
    ]

    assert {("a", "a"), ("b", "b"), ("c", "a"), ("c", "b")} == set(pairs)


def test_models_split_their_keys_differently() -> None:
    """Or else the same people would get every canary."""
    traffic = Traffic(split={"stable": 50, "canary": 50})
    same = [
        traffic.choose("a", k, traffic.split) == traffic.choose("b", k, traffic.split) for k in KEYS
    ]

    assert 0.4 < sum(same) / len(same) < 0.6
