import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from saccade_models.errors import ModelsError
from saccade_models.inspection import describe, list_files, open_artifact, verify
from saccade_server.artifact import MANIFEST, read_manifest, write_manifest
from saccade_server.errors import ArtifactError


@pytest.fixture
def copy(artifact: Path, tmp_path: Path) -> Path:
    """An artifact to spoil."""
    return Path(shutil.copytree(artifact, tmp_path / "1"))


def test_a_good_artifact_is_verified_on_both_engines(artifact: Path) -> None:
    """Its files and its golden samples are counted; both engines reproduce them."""
    found = verify(open_artifact(artifact))

    assert (10, {"tensorflow", "litert"}) == (found.samples, set(found.max_abs_errors))
    assert max(found.max_abs_errors.values()) < 1e-4


def test_a_changed_file_is_found(copy: Path) -> None:
    """One bit in the weights is enough."""
    (weights,) = (copy / "variables").glob("*.data-*")
    content = bytearray(weights.read_bytes())
    content[1000] ^= 1
    weights.write_bytes(content)

    with pytest.raises(ArtifactError) as caught:
        verify(open_artifact(copy))

    assert f"{weights} is not the file that the manifest describes" == str(caught.value)


def test_a_missing_file_is_found(copy: Path) -> None:
    """The text names it."""
    (copy / "fingerprint.pb").unlink()

    with pytest.raises(ArtifactError) as caught:
        verify(open_artifact(copy))

    assert f"{copy}/fingerprint.pb is missing" == str(caught.value)


def test_an_unlisted_file_is_found(copy: Path) -> None:
    """Something was added after the manifest was written."""
    (copy / "assets.extra" / "stranger.txt").write_text("")

    with pytest.raises(ArtifactError) as caught:
        verify(open_artifact(copy))

    assert f"{copy}/assets.extra/stranger.txt is not in the manifest" == str(caught.value)


def test_all_that_is_wrong_is_named_at_once(copy: Path) -> None:
    """One run of the command tells everything."""
    (copy / "fingerprint.pb").unlink()
    (copy / "assets.extra" / "golden" / "3.png").write_bytes(b"damaged")

    with pytest.raises(ArtifactError) as caught:
        verify(open_artifact(copy))

    assert (
        f"{copy}/assets.extra/golden/3.png is not the file that the manifest describes; "
        f"{copy}/fingerprint.pb is missing"
    ) == str(caught.value)


def test_a_form_that_a_server_compiled_is_no_stranger(copy: Path) -> None:
    """A server keeps it beside the artifact, under the graph's checksum."""
    (form,) = (copy / "assets.extra" / "litert").iterdir()
    manifest = read_manifest(copy)
    del manifest.compiled[:]
    form.unlink()
    write_manifest(copy, manifest)
    form.write_bytes(b"compiled later")

    found = verify(open_artifact(copy))

    assert {"tensorflow"} == set(found.max_abs_errors)


def test_a_form_of_another_graph_is_found(copy: Path) -> None:
    """Its checksum may be right, and it still is not this graph."""
    manifest = read_manifest(copy)
    manifest.compiled[0].source_sha256 = 64 * "0"
    write_manifest(copy, manifest)

    with pytest.raises(ArtifactError, match="was compiled from another graph"):
        verify(open_artifact(copy))


def test_answers_other_than_the_golden_ones_are_found(copy: Path) -> None:
    """Right checksums don't help a graph that says something else."""
    manifest = json.loads((copy / MANIFEST).read_text())
    probabilities = manifest["golden"]["samples"][0]["probabilities"]
    probabilities[0] = float(np.clip(probabilities[0] - 0.01, 0, 1)) or 0.01
    (copy / MANIFEST).write_text(json.dumps(manifest))

    with pytest.raises(ArtifactError, match="other answers for the golden samples"):
        verify(open_artifact(copy))


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    """The text says what to name instead."""
    with pytest.raises(ModelsError) as caught:
        open_artifact(tmp_path / "7")

    assert f"{tmp_path}/7 is not a folder: name a version's, such as repository/digits/1" == str(
        caught.value
    )


def test_the_description_tells_what_matters(artifact: Path) -> None:
    """What goes in, what comes out, and what it is made of."""
    told = dict(describe(open_artifact(artifact)))

    assert (
        "serving_default(images): 28 x 28 gray, float32, pixels 0 to 255, resize bicubic",
        "10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "cnn, 1,199,882 weights",
        "golden/ (10 files), litert/, report.html, report.json, tf_serving_warmup_requests",
        "litert",
    ) == (told["input"], told["classes"], told["network"], told["extras"], told["compiled"])


def test_files_are_listed_with_their_checksums(artifact: Path) -> None:
    """As the tool sha256sum would."""
    lines = dict(line.split()[::2] for line in list_files(open_artifact(artifact)))
    graph = hashlib.sha256((artifact / "saved_model.pb").read_bytes()).hexdigest()

    assert "saved_model.pb" == lines[graph]
