"""Environments of the official clients: made once, kept in build/."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from fixtures.turns import my_turn

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENTS = ROOT / "build" / "client-environments"

INSTALL_S = 540
"""Bound for an installation."""


class Unavailable(Exception):
    """An environment could not be made; the text says why."""


def environment(name: str, folder: Path = Path(__file__).parent) -> Path:
    """The Python of an environment with what `requirements-<name>.txt` asks for.

    Args:
        name: Of the file.
        folder: Where it is.

    Raises:
        Unavailable: It is not there and cannot be installed, as without a package index.
    """
    requirements = folder / f"requirements-{name}.txt"
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    made = ENVIRONMENTS / f"{name}-{key}"
    python = made / "bin" / "python"
    with my_turn(made):
        if not (made / "complete").exists():
            try:
                _install(made, python, requirements)
            except (OSError, subprocess.SubprocessError) as error:
                shutil.rmtree(made, ignore_errors=True)
                text = f"cannot install {requirements.name}: {_reason(error)}"
                raise Unavailable(text) from error
            (made / "complete").touch()
    return python


def site_packages(python: Path) -> Path:
    """Where an environment's packages are."""
    (found,) = python.parent.parent.glob("lib/python*/site-packages")
    return found


def run(python: Path, script: Path, *arguments: str) -> str:
    """What a script prints that is run in an environment; it must end with 0."""
    done = subprocess.run(
        [str(python), str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def _install(folder: Path, python: Path, requirements: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # The project's pins are not those of other people's clients.
    variables = {key: value for key, value in os.environ.items() if "CONSTRAINT" not in key}
    # Neither a pip of its own nor compiled what is never imported: a fifth of the time.
    pip = [sys.executable, "-m", "pip", f"--python={python}", "install", "--no-compile"]
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [*pip, "--quiet", "--retries=1", "-r", str(requirements)],
    ):
        subprocess.run(
            command, env=variables, check=True, capture_output=True, text=True, timeout=INSTALL_S
        )


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return str(error.stderr).strip().splitlines()[-1] if error.stderr else str(error)
    return str(error)
