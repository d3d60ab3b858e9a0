import json
from typing import Any

import pytest

from saccade_models.cli import main
from saccade_models.networks import NETWORKS


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """What `networks --json` says, by name."""
    main(["networks", "--json"])
    return {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}


def test_a_network_is_listed_with_all_that_chooses_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it comes from, how large it is, what it takes, and what can be varied."""
    entry = listed(capsys)["vgg16"]

    assert {
        "name": "vgg16",
        "summary": "VGG-16: thirteen 3 x 3 convolutions, dense 4096 twice",
        "source": "Simonyan & Zisserman 2014",
        "parameters": 138_357_544,
        "published_input": {"height": 224, "width": 224, "channels": 3},
        "published_classes": 1000,
        "smallest_side": 32,
        "channels": [1, 3],
        "options": {},
    } == entry


def test_the_options_of_the_cnn_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """With what they are where nothing is said."""
    assert {"activation": "relu", "pooling": "max"} == listed(capsys)["cnn"]["options"]


def test_a_line_tells_parameters_sizes_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    """For people, in columns."""
    main(["networks"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}

    told = " ".join(lines["lenet5"].split())
    assert list(NETWORKS) == list(lines)
    assert told.startswith("lenet5 61,706 parameters at 32 x 32 x 1, from 28 x 28: ")
    assert told.endswith("(LeCun et al. 1998)")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--network", "vgg16"], "at least 32 x 32 pixels"),
        (["--network", "lenet5", "--pooling", "max"], "lenet5 has its own pooling"),
    ],
)
def test_a_training_that_cannot_be_is_one_line_and_exit_code_2(
    flags: list[str], told: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left in the repository."""
    code = main(["train", "--output", str(tmp_path), "--name", "digits", *flags])

    error = capsys.readouterr().err

    assert (2, 1, True, []) == (code, error.count("\n"), told in error, list(tmp_path.iterdir()))
