import shutil
from pathlib import Path

import pytest

from saccade_models.warmup import FILE, check_warmup
from saccade_server.artifact import read_artifact
from saccade_server.errors import ArtifactError


@pytest.fixture
def copy(artifact: Path, tmp_path: Path) -> Path:
    """An artifact to spoil."""
    return Path(shutil.copytree(artifact, tmp_path / "1"))


def test_an_artifact_has_warm_up_requests_for_its_graph(artifact: Path) -> None:
    """One image, then several at once."""
    assert 2 == check_warmup(read_artifact(artifact))


def test_an_artifact_need_not_have_any(copy: Path) -> None:
    """Saccade itself does without."""
    (copy / FILE).unlink()

    assert check_warmup(read_artifact(copy)) is None


def test_a_damaged_file_is_found(copy: Path) -> None:
    """Each record has its own checksum in the file."""
    content = bytearray((copy / FILE).read_bytes())
    content[100] ^= 1
    (copy / FILE).write_bytes(content)

    with pytest.raises(ArtifactError, match="is no file of warm-up requests"):
        check_warmup(read_artifact(copy))


def test_a_request_for_another_graph_is_found(copy: Path) -> None:
    """TensorFlow Serving would refuse to load the version."""
    manifest = (copy / "assets.extra" / "manifest.json").read_text()
    (copy / "assets.extra" / "manifest.json").write_text(
        manifest.replace('"height": 28', '"height": 32')
    )

    with pytest.raises(ArtifactError, match="not what the graph takes"):
        check_warmup(read_artifact(copy))
