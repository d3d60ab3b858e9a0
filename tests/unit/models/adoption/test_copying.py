import os
from pathlib import Path

import pytest

from saccade_models.adoption import copying
from saccade_models.adoption.copying import copy_saved_model
from saccade_models.errors import ModelsError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Something like a SavedModel, in a folder with a secret beside it."""
    folder = tmp_path / "source"
    (folder / "variables").mkdir(parents=True)
    (folder / "assets").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(bytes(range(256)))
    (tmp_path / "secret").write_text("secret")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def contents(folder: Path) -> dict[str, bytes | None]:
    """Bytes by path; None: a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_every_byte_is_copied(source: Path, target: Path) -> None:
    """Empty folders, too."""
    copy_saved_model(source, target)

    assert contents(source) == contents(target)


def test_a_link_inside_becomes_its_file(source: Path, target: Path) -> None:
    """The copy stands alone."""
    (source / "assets" / "names").symlink_to("../saved_model.pb")

    copy_saved_model(source, target)

    copied = target / "assets" / "names"
    assert (b"graph", False) == (copied.read_bytes(), copied.is_symlink())


@pytest.mark.parametrize("goal", ["../../secret", "/etc/hostname", "../../../source2"])
def test_a_link_that_leads_out_is_refused(source: Path, target: Path, goal: str) -> None:
    """Nobody's files get into an artifact; a link to nothing is refused as well."""
    (source / "assets" / "names").symlink_to(goal)

    with pytest.raises(ModelsError, match="assets/names is a link"):
        copy_saved_model(source, target)

    assert [] == list(target.iterdir())


def test_a_link_to_a_folder_is_refused(source: Path, target: Path) -> None:
    """It might contain itself."""
    (source / "assets" / "loop").symlink_to("..")

    with pytest.raises(ModelsError, match="link to a folder"):
        copy_saved_model(source, target)


def test_a_pipe_is_refused(source: Path, target: Path) -> None:
    """Reading it would wait for ever."""
    os.mkfifo(source / "assets" / "pipe")

    with pytest.raises(ModelsError, match="neither a file nor a folder"):
        copy_saved_model(source, target)


def test_more_than_the_disk_has_is_refused_at_once(source: Path, target: Path) -> None:
    """A file that is one hole costs nothing to make, and nothing to refuse."""
    with (source / "variables" / "huge").open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(ModelsError, match=r"at most 34\.4 is taken"):
        copy_saved_model(source, target)

    assert [] == list(target.iterdir())


def test_too_many_files_are_refused(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is, it is no SavedModel."""
    monkeypatch.setattr(copying, "MAX_FILES", 1)

    with pytest.raises(ModelsError, match="more than 1 files"):
        copy_saved_model(source, target)


def test_an_artifact_is_not_adopted_again(source: Path, target: Path) -> None:
    """It has all that adoption would give it."""
    (source / "assets.extra").mkdir()
    (source / "assets.extra" / "manifest.json").write_text("{}")

    with pytest.raises(ModelsError, match="artifact already"):
        copy_saved_model(source, target)
