"""What the sessions of the official clients are held against."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fixtures.pictures import encode
from saccade_models.datasets import load_dataset

IMAGES = 6


@pytest.fixture(scope="session")
def images() -> NDArray[np.uint8]:
    """Digits of the test split, shape (6, 8, 8, 1)."""
    return load_dataset("digits").test.images[:IMAGES].astype(np.uint8)


@pytest.fixture(scope="session")
def sample(images: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the images, as pixels and as PNG files."""
    files = [encode(Image.fromarray(image[..., 0]), "PNG") for image in images]
    path = tmp_path_factory.mktemp("sample") / "sample.npz"
    np.savez(path, images=images, files=np.array(files, object), allow_pickle=True)
    return path


@pytest.fixture(scope="session")
def expected(artifact: Path, images: NDArray[np.uint8]) -> Any:
    """What the SavedModel itself gives for them, run by TensorFlow."""
    import tensorflow as tf

    graph = tf.saved_model.load(str(artifact)).signatures["serving_default"]
    return graph(images=tf.constant(images.astype(np.float32)))["probabilities"].numpy()
