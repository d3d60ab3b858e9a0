"""The files of an artifact: golden samples, checksums, and names that lead elsewhere."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from fixtures.manifests import minimal_manifest, write_artifact
from saccade_server.artifact import (
    ASSETS,
    GRAPH,
    Artifact,
    checksum_files,
    inside,
    read_artifact,
    saved_model_sha256,
    verify_files,
)
from saccade_server.errors import ArtifactError

WEIGHTS = "variables/variables.index"


def with_golden_sample(folder: Path, name: str) -> Artifact:
    """An artifact with one golden sample, a file of that name."""
    manifest = minimal_manifest()
    manifest.golden.samples.add(path=name, probabilities=[0.25, 0.75], truth=1)
    return read_artifact(write_artifact(folder, manifest))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A version's folder."""
    return tmp_path / "repository" / "tiny" / "1"


def test_golden_samples_are_read(folder: Path) -> None:
    """The image's bytes and the expected probabilities."""
    artifact = with_golden_sample(folder, "golden.png")
    (folder / ASSETS / "golden.png").write_bytes(b"an image")
    (sample,) = artifact.golden_samples()

    assert (b"an image", [0.25, 0.75]) == (sample.image, sample.probabilities.tolist())


def test_golden_probabilities_are_floats_of_32_bits(folder: Path) -> None:
    """As the engine's are."""
    artifact = with_golden_sample(folder, "golden.png")
    (folder / ASSETS / "golden.png").write_bytes(b"an image")

    assert np.float32 == artifact.golden_samples()[0].probabilities.dtype


def test_a_missing_golden_sample_is_an_error(folder: Path) -> None:
    """The text names the file."""
    artifact = with_golden_sample(folder, "golden.png")
    with pytest.raises(ArtifactError) as missing:
        artifact.golden_samples()

    expected = f"golden sample {folder / ASSETS / 'golden.png'}: No such file or directory"
    assert expected == str(missing.value)


@pytest.mark.parametrize("name", ["../../2/x.png", "/etc/passwd", "a/../../x", "link/x", ".."])
def test_a_name_that_leads_out_is_refused(folder: Path, name: str) -> None:
    """Upwards, from the root, or by a link: a manifest opens no file beyond its own."""
    artifact = with_golden_sample(folder, name)
    (folder / ASSETS / "link").symlink_to(folder.parent)
    with pytest.raises(ArtifactError) as refused:
        artifact.golden_samples()

    assert f"{name!r} leads out of {folder / ASSETS}" == str(refused.value)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have_is_refused(folder: Path, name: str) -> None:
    """As an error of the artifact, like any other."""
    with pytest.raises(ArtifactError):
        with_golden_sample(folder, name).golden_samples()


def test_a_name_inside_is_found(tmp_path: Path) -> None:
    """Also by a way that goes up and down again."""
    assert tmp_path.resolve() / "b" == inside(tmp_path, "a/../b")


def test_every_file_is_summed(folder: Path) -> None:
    """By path, but for the manifest, which holds the sums."""
    write_artifact(folder)
    expected = [
        (GRAPH, hashlib.sha256(b"a graph").hexdigest(), 7),
        (WEIGHTS, hashlib.sha256(b"its weights").hexdigest(), 11),
    ]

    assert expected == [(sum_.path, sum_.sha256, sum_.bytes) for sum_ in checksum_files(folder)]


def test_files_as_described_are_fine(folder: Path) -> None:
    """Nothing is raised."""
    assert verify_files(read_artifact(write_artifact(folder))) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("content", [b"its w", b"its weights!", b"ITS WEIGHTS", b""])
def test_a_changed_file_is_found(folder: Path, content: bytes) -> None:
    """Shorter, longer, or of the same length; the text names it."""
    artifact = read_artifact(write_artifact(folder))
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(ArtifactError) as found:
        verify_files(artifact)

    expected = f"{folder / WEIGHTS} is not the file that the manifest describes"
    assert expected == str(found.value)


def test_a_missing_file_is_found(folder: Path) -> None:
    """The text names it."""
    artifact = read_artifact(write_artifact(folder))
    (folder / WEIGHTS).unlink()
    with pytest.raises(ArtifactError) as found:
        verify_files(artifact)

    assert f"{folder / WEIGHTS} is missing" == str(found.value)


def test_a_checksum_of_a_file_elsewhere_is_refused(folder: Path) -> None:
    """A manifest cannot make the server read what is not its own."""
    artifact = read_artifact(write_artifact(folder))
    artifact.manifest.files.add(path="../../secret")

    with pytest.raises(ArtifactError, match="leads out of"):
        verify_files(artifact)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        (GRAPH, True),
        (WEIGHTS, True),
        ("variables/variables.data-00000-of-00001", True),
        ("assets/vocabulary.txt", True),
        (f"{ASSETS}/manifest.json", False),
        (f"{ASSETS}/notes.txt", False),
    ],
)
def test_the_graph_has_a_checksum_of_its_own(folder: Path, name: str, counts: bool) -> None:
    """It changes with the graph, its weights and its assets, and with nothing else."""
    write_artifact(folder)
    before = saved_model_sha256(folder)
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"something else")

    assert counts == (before != saved_model_sha256(folder))
