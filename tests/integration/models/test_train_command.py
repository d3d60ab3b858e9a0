"""The commands as a user runs them: real processes, real files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import StartServer
from fixtures.processes import ONLY_SMALL_FILES
from saccade_models.cli import main

COMMAND = [sys.executable, "-m", "saccade_models"]
TRAIN = ["train", "--network", "cnn", "--dataset", "digits", "--name", "digits"]


def run(*arguments: str | Path, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Runs `saccade-models`, behind another command or not, with stdout and stderr in pipes."""
    command = [*before, *COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A version trained for few epochs, and what the command said."""
    output = tmp_path_factory.mktemp("repository")
    done = run(*TRAIN, "--output", output, "--epochs", "3")
    return output / "digits" / "1", done


def test_training_prints_one_line(
    trained: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """The result; no progress bar and no chatter of TensorFlow in a pipe."""
    path, done = trained
    beginning, _, rest = done.stdout.partition(":")

    assert (0, 3, 1) == (done.returncode, done.stderr.count("\n"), done.stdout.count("\n"))
    assert ("digits version 1", True) == (beginning, rest.rstrip().endswith(str(path)))


def test_three_epochs_are_right_about_most_digits(
    trained: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """The printed accuracy is above what a broken training would reach."""
    accuracy = float(trained[1].stdout.split("test accuracy ")[1].split("%")[0])

    assert accuracy > 90


def test_only_the_version_is_left(
    trained: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """No temporary folder stays beside it."""
    assert ["1"] == os.listdir(trained[0].parent)


def test_inspect_verifies_what_was_trained(
    trained: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Another process comes to the same golden answers."""
    done = run("inspect", trained[0])

    assert (0, "", True) == (done.returncode, done.stderr, "10 golden samples" in done.stdout)


def test_inspect_refuses_a_damaged_artifact(
    trained: tuple[Path, subprocess.CompletedProcess[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 1, and one line names the file."""
    damaged = Path(shutil.copytree(trained[0], tmp_path / "1"))
    (damaged / "fingerprint.pb").write_bytes(b"damaged")

    code = main(["inspect", str(damaged)])

    assert (
        1,
        f"saccade-models: {damaged}/fingerprint.pb is not the file that the manifest describes\n",
    ) == (code, capsys.readouterr().err)


def test_an_export_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """The weights don't fit on the disk: one line, exit code 1, no half-written version."""
    done = run(*TRAIN, "--output", tmp_path, "--epochs", "1", before=ONLY_SMALL_FILES)

    assert (1, 1, []) == (done.returncode, done.stderr.count("\n"), os.listdir(tmp_path))


@pytest.mark.parametrize("kind", ["dynamic", "int8"])
def test_a_quantised_version_is_served(
    kind: str, tmp_path: Path, start_server: StartServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """LiteRT alone serves it, and inspect verifies it; training tells its figures in one line."""
    repository = tmp_path / "repository"
    flags = ["--output", str(repository), "--epochs=1", "--quantize", kind, "--force"]
    trained = main([*TRAIN, *flags])
    told = capsys.readouterr().out
    inspected = main(["inspect", str(repository / "digits" / "1")])
    start_server(repository, "--engine=litert").wait_ready()

    assert (0, 0) == (trained, inspected)
    assert (f"{kind}: test accuracy", True) == (
        told.splitlines()[1][: len(f"{kind}: test accuracy")],
        f"litert {kind}, off by up to" in capsys.readouterr().out,
    )
