"""What a store says that it holds, true or not."""

from typing import Any

import pytest

from fixtures.stores import FakeFiles
from saccade_server.errors import ArtifactError
from saccade_server.stores.listing import list_files, list_models, list_versions
from saccade_server.stores.store import Away, Store

ROOT = "bucket/models"


def names(files: FakeFiles) -> list[tuple[str, int]]:
    """The files of a version, and their sizes."""
    return [(each.name, each.size) for each in list_files(Store(files, "b/1"))]


def test_models_and_versions_are_folders(files: FakeFiles) -> None:
    """Newest first; whatever is called otherwise is passed over."""
    for path in ("digits/2/a", "digits/10/a", "digits/x/a", "cats/3/a", ".hidden/1/a", "cats/4"):
        files.files[f"{ROOT}/{path}"] = b""

    assert {"cats": [3], "digits": [10, 2]} == list_models(Store(files, f"{ROOT}/"))


def test_the_versions_of_one_model(files: FakeFiles) -> None:
    """By its own folder."""
    files.files = {"digits/7/a": b"", "digits/8/a": b""}

    assert [8, 7] == list_versions(Store(files, "digits"))


def test_the_files_of_a_version_have_names_and_sizes(files: FakeFiles) -> None:
    """At whatever depth."""
    files.files = {"b/1/saved_model.pb": b"abc", "b/1/variables/x": b"", "b/2/y": b"z"}

    assert [("saved_model.pb", 3), ("variables/x", 0)] == names(files)


def test_another_content_has_another_stamp(files: FakeFiles) -> None:
    """Also where the size is the same."""
    files.files = {"b/1/x": b"abc"}
    [before] = list_files(Store(files, "b/1"))
    files.files = {"b/1/x": b"abd"}
    [after] = list_files(Store(files, "b/1"))

    assert before.stamp != after.stamp


@pytest.mark.parametrize(
    "name", ["b/1/../../etc/passwd", "b/1/x/../../y", "b/1/a\0b", f"b/1/{'n' * 300}", "b/1/\ud800"]
)
def test_a_name_that_is_none_here_is_refused(files: FakeFiles, name: str) -> None:
    """It would lead out of the version's folder, or nowhere."""
    files.files = {"b/1/saved_model.pb": b"", name: b""}

    with pytest.raises(ArtifactError, match="is no file's name"):
        names(files)


@pytest.mark.parametrize("path", ["/etc/passwd", "c/1/x", "b/10/x"])
def test_a_path_that_is_elsewhere_is_refused(files: FakeFiles, path: str) -> None:
    """A store that lists one is not to be trusted."""
    files.files = {"b/1/x": b""}
    files.lies = {"b/1/x": {"name": path}}

    with pytest.raises(ArtifactError, match="which is elsewhere"):
        names(files)


def test_a_file_in_a_file_is_refused(files: FakeFiles) -> None:
    """Stores have no folders, and so no such rule."""
    files.files = {"b/1/x/y": b""}
    files.lies = {"b/1/x.": {"name": "b/1/x", "type": "file", "size": 1}}

    with pytest.raises(ArtifactError, match="the same place"):
        names(files)


@pytest.mark.parametrize("size", [None, -1, "many", 1.5])
def test_a_size_that_is_none_is_refused(files: FakeFiles, size: Any) -> None:
    """Nothing would bound the download."""
    files.files = {"b/1/x": b""}
    files.lies = {"b/1/x": {"size": size}}

    with pytest.raises(ArtifactError, match="how large x is"):
        names(files)


def test_what_is_neither_file_nor_folder_is_refused(files: FakeFiles) -> None:
    """As in a folder of this machine."""
    files.files = {"b/1/x": b""}
    files.lies = {"b/1/x": {"type": "link"}}

    with pytest.raises(ArtifactError, match="neither a file nor a folder"):
        names(files)


def test_absurdly_many_files_are_refused(files: FakeFiles) -> None:
    """As in a folder of this machine."""
    files.files = {f"b/1/{number}": b"" for number in range(10_001)}

    with pytest.raises(ArtifactError, match="more than 10000 files"):
        names(files)


def test_folders_without_end_are_refused(files: FakeFiles) -> None:
    """As in a folder of this machine."""
    files.files = {f"b/1/{'d/' * 17}x": b""}

    with pytest.raises(ArtifactError, match="nested deeper than 16"):
        names(files)


def test_a_store_out_of_reach_is_away(files: FakeFiles) -> None:
    """Whatever error its library raises."""
    files.away = True

    with pytest.raises(Away, match="ConnectionError: no route to the store"):
        list_models(Store(files, ROOT))


def test_a_repository_that_is_not_there_is_away(files: FakeFiles) -> None:
    """In a bucket, one that is empty is not there."""
    with pytest.raises(Away, match="FileNotFoundError"):
        list_models(Store(files, ROOT))
