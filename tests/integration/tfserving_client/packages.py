"""The official client of TensorFlow Serving: fetched once, kept in build/."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from fixtures.turns import my_turn

ROOT = Path(__file__).resolve().parents[3]
CLIENT = "tensorflow-serving-api==2.21.0"
INSTALL_S = 240
RUN_S = 110


class Unavailable(Exception):
    """The client could not be fetched; the text says why."""


def client_packages() -> Path:
    """A folder with the client and nothing else.

    What it needs (TensorFlow, grpcio, protobuf) is in the environment of the tests.

    Raises:
        Unavailable: It is not there and cannot be fetched, as without a package index.
    """
    folder = ROOT / "build" / "client-environments" / CLIENT
    with my_turn(folder):
        if not (folder / "complete").exists():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # The project's pins are not those of other people's clients.
    variables = {key: value for key, value in os.environ.items() if "CONSTRAINT" not in key}
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--retries=1"]
    try:
        subprocess.run(
            [*command, "--no-deps", "--no-compile", f"--target={folder}", CLIENT],
            env=variables, check=True, capture_output=True, text=True, timeout=INSTALL_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Unavailable(f"cannot fetch {CLIENT}: {error}") from error
    (folder / "complete").touch()


def run(packages: Path, *command: str) -> str:
    """What a Python process prints that finds the client; it must end with 0."""
    done = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(packages), "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout
