"""Trainings that are stopped, and go on: real processes, real signals, real files."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = [sys.executable, "-m", "saccade_models", "train", "--name", "digits"]
TINY = ["--batch-size", "288", "--epochs", "4", "--optimizer", "sgd", "--ema", "0.9"]
EPOCH = re.compile(r"epoch (\d+)/\d+: (loss .*%), ")


@contextmanager
def started(output: Path) -> Iterator[subprocess.Popen[str]]:
    """A training under way."""
    command = [*COMMAND, *TINY, "--output", str(output)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def training(output: Path) -> Iterator[subprocess.Popen[str]]:
    """A training that has just finished its second epoch."""
    with started(output) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("epoch 2/"):
                break
        yield process


def epochs(told: str) -> dict[str, str]:
    """The figures of each epoch, without the seconds, as they were printed."""
    return dict(EPOCH.findall(told))


def golden(output: Path) -> list[str]:
    """What the exported graph answers to its golden samples."""
    manifest = json.loads((output / "digits/1/assets.extra/manifest.json").read_text())
    return [json.dumps(sample["probabilities"]) for sample in manifest["golden"]["samples"]]


def test_a_killed_training_ends_like_one_that_was_not(tmp_path: Path) -> None:
    """The same command goes on; the later epochs, and the graph, are the same to the last digit."""
    with started(tmp_path / "whole") as whole:
        with training(tmp_path / "parts") as first:
            first.kill()
        with started(tmp_path / "parts") as second:
            _, told = second.communicate(timeout=100)
        _, told_of_whole = whole.communicate(timeout=100)

    assert (0, 0) == (whole.returncode, second.returncode), told
    expected = epochs(told_of_whole)
    assert {number: expected[number] for number in ("3", "4")} == epochs(told)
    assert golden(tmp_path / "whole") == golden(tmp_path / "parts")
    assert ["1"] == os.listdir(tmp_path / "parts" / "digits")


def test_who_stops_a_training_is_told_how_it_goes_on(tmp_path: Path) -> None:
    """One line, exit code 130; no version, only the hidden folder with what was done."""
    with training(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)

    (kept,) = os.listdir(tmp_path / "digits")
    assert (130, True) == (process.returncode, kept.startswith(".training-"))
    assert (
        "saccade-models: interrupted after epoch 2 of 4: the same command goes on from there, "
        "--restart begins anew"
    ) == told.splitlines()[-1]
