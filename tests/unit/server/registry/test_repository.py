"""What counts as a model and as a version of one."""

from pathlib import Path

import pytest

from saccade_server.errors import ConfigError
from saccade_server.registry.repository import scan_repository


def make(root: Path, *folders: str) -> None:
    """Makes folders below `root`."""
    for folder in folders:
        (root / folder).mkdir(parents=True)


def test_models_and_versions_are_folders(root: Path) -> None:
    """`<root>/<model>/<version>/`, versions newest first."""
    make(root, "digits/1", "digits/2", "digits/10", "cats/3")

    assert {"cats": [3], "digits": [10, 2, 1]} == scan_repository(root)


@pytest.mark.parametrize("name", ["0", "01", "-1", "1.5", "one", "1e3", " 1", ".writing-x", "١"])
def test_what_is_no_positive_integer_is_no_version(root: Path, name: str) -> None:
    """Work in progress can lie beside the versions."""
    make(root, f"digits/{name}", "digits/7")

    assert {"digits": [7]} == scan_repository(root)


@pytest.mark.parametrize("name", [".git", "a b", "ä", "-x", "x" * 129])
def test_what_is_no_name_is_no_model(root: Path, name: str) -> None:
    """Names go into metrics and URLs."""
    make(root, f"{name}/1", "digits/1")

    assert {"digits": [1]} == scan_repository(root)


def test_a_model_without_versions_is_passed_over(root: Path) -> None:
    """As while its first version is being written."""
    make(root, "digits", "cats/.writing-1")

    assert {} == scan_repository(root)


def test_files_are_passed_over(root: Path) -> None:
    """Beside models, and beside versions."""
    make(root, "digits/1")
    (root / "README").touch()
    (root / "digits" / "2").touch()

    assert {"digits": [1]} == scan_repository(root)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_root_that_is_no_folder_is_a_wrong_setting(root: Path, name: str) -> None:
    """The text says which setting."""
    (root / "file").touch()
    with pytest.raises(ConfigError) as refused:
        scan_repository(root / name)

    expected = f"the model repository {root / name} is no folder: set --model-repository"
    assert expected == str(refused.value)
