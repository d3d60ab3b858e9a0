"""Bringing one version here."""

import errno
import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fixtures.stores import ROOM, FakeFiles
from saccade_server.artifact import ASSETS, GRAPH, MANIFEST, read_artifact, verify_files
from saccade_server.errors import ArtifactError, IncompleteArtifact
from saccade_server.stores.download import Download, Unquiet
from saccade_server.stores.layout import RECORD, fetching, follow_model, read_record
from saccade_server.stores.locks import try_lock, write_lock
from saccade_server.stores.store import Away, Store

THERE = "bucket/digits/1"
WEIGHTS = "variables/variables.index"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The version's folder in the mirror: known of."""
    folder = tmp_path / "stores" / "fake" / "digits"
    follow_model(folder, [1])
    return folder / "1"


@pytest.fixture(autouse=True)
def _uploaded(files: FakeFiles, made: Path) -> None:
    files.upload(made, THERE)


def fetch(files: FakeFiles, here: Path, *, is_quiet: bool = False, max_bytes: int = ROOM) -> int:
    """Downloads; gives the bytes."""
    return Download(
        store=Store(files, THERE),
        version=here,
        mirrors=here.parents[2],
        max_bytes=max_bytes,
        is_quiet=is_quiet,
    ).run()


def content(folder: Path) -> dict[str, bytes]:
    """The files of a version but for the record."""
    files = [each for each in folder.rglob("*") if each.is_file() and each.name != RECORD]
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in files}


def test_a_version_comes_whole(files: FakeFiles, here: Path, made: Path) -> None:
    """All of its files, and nothing beside it."""
    fetch(files, here)
    verify_files(read_artifact(here))

    assert (content(made), ["1", ".locks"]) == (
        content(here),
        sorted((each.name for each in here.parent.iterdir()), reverse=True),
    )


def test_what_is_here_is_not_downloaded_again(files: FakeFiles, here: Path) -> None:
    """As by another process meanwhile."""
    fetch(files, here)
    files.read.clear()

    assert (0, []) == (fetch(files, here), files.read)


def test_what_has_changed_is_downloaded_again(files: FakeFiles, here: Path, made: Path) -> None:
    """The new content takes the place of the old at one blow."""
    fetch(files, here)
    (made / ASSETS / "note").write_text("more")
    files.upload(made, THERE)
    fetch(files, here)

    assert content(made) == content(here)


@pytest.mark.parametrize("missing", [GRAPH, WEIGHTS])
def test_a_half_uploaded_version_waits(files: FakeFiles, here: Path, missing: str) -> None:
    """The text names the file; nothing large was downloaded."""
    del files.files[f"{THERE}/{missing}"]
    with pytest.raises(IncompleteArtifact, match=missing):
        fetch(files, here)

    assert (set(), None) == (set(files.read) - {f"{THERE}/{MANIFEST}"}, read_record(here))


def test_a_file_of_another_size_is_not_downloaded(files: FakeFiles, here: Path) -> None:
    """It is that of another version, or of the one before."""
    files.files[f"{THERE}/{WEIGHTS}"] += b"more"

    with pytest.raises(
        IncompleteArtifact, match=f"^{WEIGHTS} is not the file that the manifest describes"
    ):
        fetch(files, here)


def test_a_file_with_another_checksum_waits(files: FakeFiles, here: Path) -> None:
    """And takes no place; when it is right, it alone is downloaded."""
    right = files.files[f"{THERE}/{WEIGHTS}"]
    files.files[f"{THERE}/{WEIGHTS}"] = bytes(len(right))
    with pytest.raises(IncompleteArtifact):
        fetch(files, here)
    assert read_record(here) is None
    files.files[f"{THERE}/{WEIGHTS}"] = right
    files.read.clear()
    fetch(files, here)

    assert {f"{THERE}/{MANIFEST}", f"{THERE}/{WEIGHTS}"} == set(files.read)


def test_a_wrong_manifest_is_refused(files: FakeFiles, here: Path) -> None:
    """It would not be right by waiting."""
    files.files[f"{THERE}/{MANIFEST}"] = b'{"format": 99}'

    with pytest.raises(ArtifactError, match="format 99"):
        fetch(files, here)


def test_a_manifest_names_no_file_elsewhere(files: FakeFiles, here: Path) -> None:
    """As in a folder of this machine."""
    manifest = json.loads(files.files[f"{THERE}/{MANIFEST}"])
    manifest["files"].append({"path": "../../../x", "bytes": "1", "sha256": "0" * 64})
    files.files[f"{THERE}/{MANIFEST}"] = json.dumps(manifest).encode()

    with pytest.raises(ArtifactError, match="leads out of"):
        fetch(files, here)


def test_a_huge_manifest_is_not_downloaded(files: FakeFiles, here: Path) -> None:
    """Its size is told before."""
    files.lies[f"{THERE}/{MANIFEST}"] = {"size": 1 << 30}
    with pytest.raises(ArtifactError, match="is larger than"):
        fetch(files, here, max_bytes=1 << 40)

    assert [] == files.read


def test_a_huge_version_is_not_downloaded(files: FakeFiles, here: Path) -> None:
    """Not a byte of it."""
    files.lies[f"{THERE}/more"] = {"type": "file", "size": 1 << 50}
    with pytest.raises(ArtifactError, match="more than all mirrors may take"):
        fetch(files, here)

    assert [] == files.read


def test_more_than_was_announced_is_not_written(files: FakeFiles, here: Path) -> None:
    """A store that sends without end fills no disk."""
    files.lies[f"{THERE}/extra"] = {"type": "file", "size": 3}
    files.files[f"{THERE}/extra"] = bytes(1000)

    with pytest.raises(IncompleteArtifact, match="extra changes while it is downloaded"):
        fetch(files, here)


def test_a_name_that_the_mirror_needs_is_refused(files: FakeFiles, here: Path) -> None:
    """It would tell what is not so."""
    files.files[f"{THERE}/{RECORD}"] = b"[]"

    with pytest.raises(ArtifactError, match="is a name that the mirror needs"):
        fetch(files, here)


def test_without_checksums_a_version_must_be_quiet(files: FakeFiles, here: Path) -> None:
    """Nothing else tells that its upload is finished."""
    files.remove(f"{THERE}/{ASSETS}")
    with pytest.raises(Unquiet):
        fetch(files, here)
    fetch(files, here, is_quiet=True)

    assert {GRAPH, WEIGHTS} == set(content(here))


def test_without_checksums_a_change_in_the_middle_is_noticed(files: FakeFiles, here: Path) -> None:
    """What was downloaded may be half of each."""
    files.remove(f"{THERE}/{ASSETS}")
    files.on_open = lambda path: files.files.update({f"{THERE}/late": b"x"})
    with pytest.raises(Unquiet, match="it changes"):
        fetch(files, here, is_quiet=True)

    assert read_record(here) is None


def test_a_download_that_is_cut_off_goes_on_later(files: FakeFiles, here: Path) -> None:
    """What has come is not asked for again, but for the manifest."""

    def cut_off(path: str) -> None:
        files.away = path.endswith(WEIGHTS)

    files.on_open = cut_off
    with pytest.raises(Away):
        fetch(files, here)
    assert fetching(here).is_dir()
    come = set(files.read)
    files.on_open, files.away = len, False
    files.read.clear()
    fetch(files, here)

    assert ({f"{THERE}/{MANIFEST}"}, False) == (come & set(files.read), fetching(here).exists())


def test_rubbish_that_was_left_is_not_taken(files: FakeFiles, here: Path, made: Path) -> None:
    """Of a process that was killed, or of a version with other files."""
    beside = fetching(here)
    (beside / "variables" / "old").mkdir(parents=True)
    (beside / WEIGHTS).write_bytes(b"half")
    (beside / GRAPH).mkdir()
    (beside / "link").symlink_to("/etc/passwd")
    fetch(files, here)

    assert content(made) == content(here)


def test_two_processes_do_not_download_the_same_at_once(files: FakeFiles, here: Path) -> None:
    """The second waits for the first, and says that it lives."""
    waits = threading.Event()
    download = Download(
        store=Store(files, THERE),
        version=here,
        mirrors=here.parents[2],
        max_bytes=ROOM,
        is_quiet=False,
        tell=waits.set,
    )
    with ThreadPoolExecutor(1) as pool:
        with try_lock(write_lock(here)):
            second = pool.submit(download.run)
            assert waits.wait(30)
            read = list(files.read)
        second.result()

    assert ([], True) == (read, read_record(here) is not None)


def test_a_full_disk_leaves_everything_as_it_was(
    files: FakeFiles, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says how much there is."""
    usage = shutil._ntuple_diskusage(10, 10, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="there is no room for") as refused:
        fetch(files, here)

    assert (errno.ENOSPC, None, []) == (
        refused.value.errno,
        read_record(here),
        os.listdir(here),
    )
