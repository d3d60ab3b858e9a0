"""What is seen of a version's folder without opening anything in it."""

import os
from pathlib import Path

import pytest

from fixtures.manifests import minimal_manifest, write_artifact
from saccade.v1 import manifest_pb2 as pb
from saccade_server.artifact import ASSETS, GRAPH, Snapshot, read_artifact, take_snapshot
from saccade_server.errors import ArtifactError, IncompleteArtifact

FORM = f"{ASSETS}/litert/{'a' * 32}.tflite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The version 1 of a model in a repository."""
    return write_artifact(tmp_path / "repository" / "tiny" / "1")


def look(folder: Path) -> Snapshot:
    """A snapshot; links may lead anywhere in the model's folder."""
    return take_snapshot(folder, folder.parent)


def refusal(folder: Path) -> str:
    """The text with which a folder is refused."""
    with pytest.raises(ArtifactError) as refused:
        look(folder)
    return str(refused.value)


def test_what_nobody_touches_stays_the_same(folder: Path) -> None:
    """Two looks are equal."""
    assert look(folder).same(look(folder))


@pytest.mark.parametrize("name", [GRAPH, "variables/more", FORM])
def test_a_file_that_grows_is_a_change(folder: Path, name: str) -> None:
    """Wherever it is."""
    before = look(folder)
    (folder / name).parent.mkdir(exist_ok=True)
    with (folder / name).open("ab") as file:
        file.write(b"more")

    assert not look(folder).same(before)


def test_what_a_server_compiles_need_not_count(folder: Path) -> None:
    """A version that was sent back has not become another one by that."""
    before = look(folder)
    (folder / FORM).parent.mkdir()
    (folder / FORM).write_bytes(b"compiled")

    assert look(folder).same(before, but_for_forms=True)


def test_the_time_of_the_last_write_cannot_be_set_back(folder: Path) -> None:
    """Copying tools keep the times of the files that they copy."""
    os.utime(folder / GRAPH, (0, 0))

    assert look(folder).changed_s > 1e9


def test_a_link_within_the_model_is_followed(folder: Path) -> None:
    """Versions may share their large files."""
    shared = folder.parent / "blobs"
    shared.mkdir()
    (shared / "weights").write_bytes(b"weights")
    (folder / "variables" / "more").symlink_to(shared / "weights")

    assert "variables/more" in [name for name, _, _ in look(folder).files]


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../elsewhere", "/"])
def test_a_link_that_leads_out_is_refused(folder: Path, target: str) -> None:
    """A file or a folder, there or not; the text does not say where it leads."""
    (folder / "assets").symlink_to(target)

    assert "assets is a link that leads out of the repository" == refusal(folder)


def test_a_version_that_is_a_link_out_is_refused(folder: Path, tmp_path: Path) -> None:
    """Its folder counts like what is in it."""
    link = folder.parent / "2"
    link.symlink_to(write_artifact(tmp_path / "elsewhere"))

    assert "the version's folder is a link that leads out of the repository" == refusal(link)


def test_links_in_a_circle_are_refused(folder: Path) -> None:
    """The look ends."""
    (folder / "assets").symlink_to(folder)

    assert "is nested deeper than 16 folders" in refusal(folder)


def test_what_is_no_file_is_refused(folder: Path) -> None:
    """Opening a pipe would wait for ever."""
    os.mkfifo(folder / "variables" / "pipe")

    assert "variables/pipe is neither a file nor a folder" == refusal(folder)


def test_a_file_that_says_it_is_huge_is_refused(folder: Path) -> None:
    """It takes no room on the disk, and hours to read."""
    with (folder / "sparse").open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(ArtifactError, match="its files have more than 17179869184 bytes"):
        look(folder)


def test_absurdly_many_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look ends early."""
    monkeypatch.setattr("saccade_server.artifact.snapshot.MAX_FILES", 2)

    assert "there are more than 2 files in it" == refusal(folder)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (pb.Manifest(input=pb.InputSpec(height=8000, width=8000)), "more than 4194304 pixels"),
        (pb.Manifest(class_labels=["x" * 1025]), "1025 characters in a class label, at most 1024"),
        (
            pb.Manifest(golden=pb.GoldenSet(samples=[pb.GoldenSample(path="x")] * 1001)),
            "1001 golden samples, at most 1000",
        ),
        (pb.Manifest(compiled=[pb.CompiledForm(path="x")] * 17), "17 compiled forms, at most 16"),
    ],
    ids=["pixels", "label", "samples", "forms"],
)
def test_absurd_sizes_are_refused(tmp_path: Path, what: pb.Manifest, expected: str) -> None:
    """Before anything of that size is made."""
    manifest = minimal_manifest()
    manifest.MergeFrom(what)
    folder = write_artifact(tmp_path / "1", manifest)
    with pytest.raises(ArtifactError, match=expected):
        read_artifact(folder)


def test_a_manifest_that_ends_in_the_middle_is_incomplete(folder: Path) -> None:
    """It is worth a wait."""
    file = folder / ASSETS / "manifest.json"
    file.write_text(file.read_text()[:40])

    with pytest.raises(IncompleteArtifact):
        read_artifact(folder)
