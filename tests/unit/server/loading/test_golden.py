"""An engine that does not reproduce the golden samples does not serve."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fixtures.engines import FakeEngine
from fixtures.manifests import minimal_manifest, write_artifact
from fixtures.pictures import encode
from saccade_server.artifact import ASSETS, Artifact, read_artifact
from saccade_server.errors import ArtifactError
from saccade_server.loading import golden_error, verify_golden


class NoNumber(FakeEngine):
    """An engine that has gone astray."""

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """Nothing that could be compared."""
        return np.full((len(images), 2), np.nan, np.float32)


def with_samples(folder: Path, *expected: float, allowed: float = 0.01) -> Artifact:
    """An artifact with golden samples of the gray 51; FakeEngine says 0.2 for `light`."""
    manifest = minimal_manifest()
    manifest.golden.max_abs_error = allowed
    for number, light in enumerate(expected):
        manifest.golden.samples.add(path=f"{number}.png", probabilities=[1 - light, light])
    write_artifact(folder, manifest)
    for number in range(len(expected)):
        (folder / ASSETS / f"{number}.png").write_bytes(encode(Image.new("L", (1, 1), 51), "PNG"))
    return read_artifact(folder)


def test_the_error_is_the_largest_difference(tmp_path: Path) -> None:
    """Of any probability of any sample."""
    artifact = with_samples(tmp_path / "1", 0.2, 0.5, 0.3)

    assert pytest.approx(0.3, abs=1e-6) == golden_error(artifact, FakeEngine())


def test_without_samples_there_is_no_error(tmp_path: Path) -> None:
    """A foreign model may have none."""
    assert 0 == golden_error(with_samples(tmp_path / "1"), FakeEngine())


def test_an_engine_that_reproduces_the_samples_is_accepted(tmp_path: Path) -> None:
    """Within the tolerance of the manifest."""
    artifact = with_samples(tmp_path / "1", 0.205, 0.195)

    assert verify_golden(artifact, FakeEngine()) is None  # type: ignore[func-returns-value]


def test_an_engine_that_gives_other_answers_is_refused(tmp_path: Path) -> None:
    """The text tells by how much."""
    artifact = with_samples(tmp_path / "1", 0.2, 0.25)
    with pytest.raises(ArtifactError) as refused:
        verify_golden(artifact, FakeEngine())

    expected = (
        "fake gives other answers for the golden samples: they differ by 0.05, allowed is 0.01"
    )
    assert expected == str(refused.value)


def test_what_is_no_number_is_no_answer(tmp_path: Path) -> None:
    """It must not pass for a small difference."""
    artifact = with_samples(tmp_path / "1", 0.2)

    with pytest.raises(ArtifactError, match="they differ by inf"):
        verify_golden(artifact, NoNumber())


def test_a_damaged_sample_is_refused(tmp_path: Path) -> None:
    """The text names it."""
    artifact = with_samples(tmp_path / "1", 0.2)
    (tmp_path / "1" / ASSETS / "0.png").write_bytes(b"junk")

    with pytest.raises(ArtifactError, match="golden sample 0: not an image"):
        verify_golden(artifact, FakeEngine())


def test_the_samples_go_the_way_of_requests(tmp_path: Path) -> None:
    """Decoded, resized and cast to the type of the graph."""
    engine = FakeEngine()
    golden_error(with_samples(tmp_path / "1", 0.2), engine)

    assert ([[51]], [np.dtype(np.float32)]) == (engine.batches, engine.dtypes)
