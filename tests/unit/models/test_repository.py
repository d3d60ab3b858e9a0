import os
from pathlib import Path

import pytest

from saccade_models.errors import ModelsError
from saccade_models.repository import publish_version, stage_version


def publish(model: Path, content: str = "graph") -> Path:
    with stage_version(model) as staging:
        (staging / "saved_model.pb").write_text(content)
        return publish_version(staging)


def fail(model: Path) -> None:
    with stage_version(model) as staging:
        (staging / "saved_model.pb").touch()
        raise ValueError("disk full")


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_the_first_version_is_1(tmp_path: Path) -> None:
    """Folders that are missing are made."""
    assert tmp_path / "repository" / "digits" / "1" == publish(tmp_path / "repository" / "digits")


def test_a_version_is_one_above_the_highest(tmp_path: Path) -> None:
    """A gap stays a gap: a number that was once served never means something else."""
    for name in ["2", "10", "notes", ".writing-9"]:
        (tmp_path / name).mkdir()

    assert tmp_path / "11" == publish(tmp_path)


def test_versions_that_finish_together_get_different_numbers(tmp_path: Path) -> None:
    """Two trainings into one model both end with a version of their own."""
    with stage_version(tmp_path) as slow, stage_version(tmp_path) as quick:
        (slow / "saved_model.pb").touch()
        (quick / "saved_model.pb").touch()

        published = [publish_version(quick).name, publish_version(slow).name]

    assert (["1", "2"], ["1", "2"]) == (published, names(tmp_path))


def test_a_version_shows_only_when_it_is_complete(tmp_path: Path) -> None:
    """Until then there is one hidden folder, which no server reads."""
    with stage_version(tmp_path):
        (unfinished,) = names(tmp_path)

    assert unfinished.startswith(".")


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    """The staged files go, and the folders that were made for them."""
    with pytest.raises(ValueError, match="full"):
        fail(tmp_path / "new" / "digits")

    assert [] == names(tmp_path)


def test_a_failure_leaves_other_versions_alone(tmp_path: Path) -> None:
    """What was published before stays."""
    publish(tmp_path / "digits")

    with pytest.raises(ValueError, match="full"):
        fail(tmp_path / "digits")

    assert ["1"] == names(tmp_path / "digits")


def test_a_published_version_is_readable_by_others(tmp_path: Path) -> None:
    """A server runs under another user than the training: the umask decides, nothing stricter."""
    (tmp_path / "ordinary").mkdir()

    assert (tmp_path / "ordinary").stat().st_mode == publish(tmp_path).stat().st_mode


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The text says where it can't write and why, before anything is computed."""
    (tmp_path / "repository").write_text("")
    model = tmp_path / "repository" / "digits"

    with pytest.raises(ModelsError) as caught, stage_version(model):
        pass

    assert f"cannot write to {model}: Not a directory" == str(caught.value)
