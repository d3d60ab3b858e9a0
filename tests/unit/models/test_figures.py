"""The pictures of models/README.md show the network that is served."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade_models.datasets import Dataset
from saccade_models.figures import blocks, learning
from saccade_models.figures.passage import TrainedCnn, read_cnn
from saccade_server.artifact import read_artifact
from saccade_server.engines import load_engine
from unit.models.reference_cnn import ReferenceCnn
from unit.models.reference_layers import LOSS, truth


@pytest.fixture(scope="module")
def cnn(artifact: Path) -> TrainedCnn:
    return read_cnn(artifact)


def test_the_network_of_the_pictures_prefers_what_the_served_one_prefers(
    artifact: Path, cnn: TrainedCnn, few_digits: Dataset
) -> None:
    """Logits and log-probabilities differ by a shift, and a factor where they are calibrated."""
    images = few_digits.validation.images[:].astype(np.float32)
    with closing(load_engine(read_artifact(artifact), "tensorflow")) as engine:
        served = np.log(engine.predict(images))

    logits = cnn.forward(images)["logits"]

    for ours, theirs in zip(logits, served, strict=True):
        assert np.corrcoef(ours, theirs)[0, 1] > 0.99999


def test_the_gradients_of_the_pictures_are_those_of_the_formulas(
    cnn: TrainedCnn, few_digits: Dataset
) -> None:
    """Back at the scaled image, against plain NumPy, which has them by the pixels."""
    image = few_digits.validation.images[:1].astype(np.float32)
    reference = ReferenceCnn(
        [weight.astype(np.float64) for weight in cnn.weights.values()], cnn.activation, cnn.pooling
    )
    by_pixels, _ = reference.backward(image[0].astype(np.float64), 3, "cross-entropy")

    by_scaled = cnn.backward(image, 3)["x"][0]

    np.testing.assert_allclose(by_scaled / 255, by_pixels, rtol=1e-3, atol=1e-4 * by_pixels.max())


def test_a_picture_is_opaque(cnn: TrainedCnn, few_digits: Dataset, tmp_path: Path) -> None:
    """On a dark page as on a white one its ground is white."""
    image = few_digits.validation.images[:1].astype(np.float32)

    blocks.draw_window(cnn, image, tmp_path / "window.png")

    with Image.open(tmp_path / "window.png") as drawn:
        assert not drawn.has_transparency_data
        assert (255, 255, 255) == drawn.convert("RGB").getpixel((0, 0))


def test_separation_is_the_variance_between_classes_by_that_within() -> None:
    """Ten classes, two points each, 1 from their mean; the means lie 10 apart from each other."""
    labels = np.repeat(np.arange(10), 2)
    values = (10 * labels + np.tile([-1, 1], 10)).astype(np.float32)[:, np.newaxis]

    assert 825 == pytest.approx(learning.separation(values, labels))


def test_cross_entropy_follows_from_the_margin() -> None:
    """It is log(1 + exp(-m)), whatever the other logits are."""
    logits, labels = np.random.default_rng(0).normal(scale=3, size=(20, 10)), np.arange(20) % 10

    margins = learning.margins_of(logits, labels)

    expected = [
        LOSS["cross-entropy"](z, truth(int(label), 10))
        for z, label in zip(logits, labels, strict=True)
    ]
    np.testing.assert_allclose(np.log1p(np.exp(-margins)), expected, rtol=1e-12)
