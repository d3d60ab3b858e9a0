"""What the README says is so."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from fixtures.server_process import ServerProcess
from saccade_server.config import ServerConfig, flag

README = Path(__file__).resolve().parents[2] / "README.md"


def code_block(language: str) -> str:
    """The first block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    assert found, f"README.md has no {language}"
    return found[1]


def settings_rows() -> dict[str, str]:
    """The default by flag, as the table of settings has them."""
    rows: dict[str, str] = {}
    for line in README.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if line.startswith("| `--"):
            flags = re.findall(r"`(--[a-z0-9-]+)`", cells[1])
            defaults = [text.strip(" `") for text in cells[2].split(",")]
            rows.update(zip(flags, defaults, strict=True))
    return rows


@pytest.fixture
def pictures(tmp_path: Path, artifact: Path) -> Path:
    """A folder with the pictures that the README speaks of."""
    golden = artifact / "assets.extra" / "golden"
    Image.open(golden / "3.png").save(tmp_path / "three.png")
    Image.open(golden / "7.png").save(tmp_path / "seven.jpg", quality=95)
    return tmp_path


def test_the_table_of_settings_has_every_flag_with_its_default() -> None:
    """No flag is missing, none is there that the server does not know, and the defaults agree."""
    fields = dataclasses.fields(ServerConfig)
    # A setting that is off by default has a dash.
    known = {flag(field): "–" if not str(field.default) else field.default for field in fields}

    assert {name: _plain(default) for name, default in known.items()} == settings_rows()


def test_the_python_example_classifies(server: ServerProcess, pictures: Path) -> None:
    """Run as it stands, but for the address: it prints a label and a score for each picture."""
    code = code_block("python").replace("localhost:8500", server.grpc)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=pictures, capture_output=True, text=True, check=True
    )

    assert ["3", "7"] == [line.split()[0] for line in done.stdout.splitlines()]


def test_the_shell_example_classifies(server: ServerProcess, pictures: Path) -> None:
    """The command line of the README, with the server's address."""
    found = re.search(r"^\$ saccade (classify .*)$", README.read_text(), re.MULTILINE)
    assert found
    command = [str(Path(sys.executable).with_name("saccade")), *found[1].split()]
    done = subprocess.run(
        [*command, "--server", server.grpc], cwd=pictures, capture_output=True, check=False
    )

    assert 0 == done.returncode


def _plain(default: object) -> str:
    text = str(default)
    if isinstance(default, bool):
        return text.lower()
    return text.removesuffix(".0") if isinstance(default, float) else text
