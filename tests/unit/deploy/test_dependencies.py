"""The script that lists what an image's dependency layer installs."""

import subprocess
import sys
from pathlib import Path

import pytest

from unit.deploy.dockerfile import ROOT

SCRIPT = ROOT / "deploy" / "image" / "dependencies.py"

CLIENT = """
[project]
dependencies = ["grpcio>=1.49", "numpy>=1.26,<3"]
"""
SERVER = """
[project]
dependencies = ["aiohttp>=3; sys_platform == 'linux'", "numpy>=1.26,<3", "saccade-client"]
[project.optional-dependencies]
tensorflow = ["tensorflow-cpu>=2.19"]
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, text in (("client", CLIENT), ("server", SERVER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(text)
    return tmp_path


def run(folder: Path, *specs: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *specs],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_requirements_of_others_are_listed_once(sources: Path) -> None:
    """Markers stay, repetitions and distributions of ours go."""
    lines = run(sources, "client", "server").stdout.splitlines()

    expected = ["grpcio>=1.49", "numpy>=1.26,<3", "aiohttp>=3; sys_platform == 'linux'"]
    assert expected == lines


def test_an_extra_adds_its_requirements(sources: Path) -> None:
    """They come after the distribution's own."""
    lines = run(sources, "server[tensorflow]").stdout.splitlines()

    assert "tensorflow-cpu>=2.19" == lines[-1]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("server[gpu]", "server/pyproject.toml has no extra 'gpu'"),
        ("proto", "proto/pyproject.toml: No such file or directory"),
        ("server[]", "'server[]' is not FOLDER or FOLDER[EXTRA,...]"),
    ],
)
def test_a_wrong_name_ends_the_build(sources: Path, spec: str, reason: str) -> None:
    """An image with less than was asked for must not come about."""
    result = run(sources, spec)

    assert (1, reason) == (result.returncode, result.stderr.strip())


def test_the_light_image_has_no_tensorflow() -> None:
    """Without extras nothing of TensorFlow is asked for."""
    result = run(ROOT, "client", "server")

    assert 0 == result.returncode
    assert [] == [line for line in result.stdout.splitlines() if line.startswith("tensorflow")]
