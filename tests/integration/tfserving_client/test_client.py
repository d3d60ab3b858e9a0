"""The official client, unmodified, against the real server."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.pictures import encode
from fixtures.server_process import ServerProcess
from integration.tfserving_client.packages import run
from saccade_models.datasets import load_dataset

pytestmark = pytest.mark.timeout(400)

IMAGES = 6
PREDICTIONS = ("float", "uint8", "double", "int64", "half", "files", "examples")


@pytest.fixture(scope="module")
def said(
    packages: Path, server: ServerProcess, artifact: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """What the client was answered, and what the SavedModel itself gives."""
    digits = load_dataset("digits").test.images[:IMAGES].astype(np.uint8)
    files = [encode(Image.fromarray(image[..., 0]), "PNG") for image in digits]
    sample = tmp_path_factory.mktemp("sample") / "sample.npz"
    np.savez(sample, images=digits, files=np.array(files, object), allow_pickle=True)
    session = Path(__file__).with_name("session.py")
    return json.loads(run(packages, str(session), server.grpc, str(artifact), str(sample)))


@pytest.mark.parametrize("way", PREDICTIONS)
def test_answers_are_the_saved_model_s_own(said: Any, way: str) -> None:
    """Whatever the images came as: every number type, files, Examples."""
    difference = np.abs(np.array(said["saved_model"]) - np.array(said[way])).max()

    assert (IMAGES, True) == (len(said[way]), bool(difference <= 1e-5))


def test_a_single_value_fills_a_tensor(said: Any) -> None:
    """TensorFlow's own way of writing an array of equal values."""
    first, *others = said["same"]

    assert [first, first] == others


def test_the_version_is_available(said: Any) -> None:
    """By its number; 30 is AVAILABLE."""
    assert [[1, 30]] == said["status"]


def test_the_signature_has_its_shape(said: Any) -> None:
    """-1 for the images of a request."""
    assert -1 == said["signature"][0]


def test_an_unknown_model_is_not_found(said: Any) -> None:
    """With the text that clients look for."""
    assert ["NOT_FOUND", "Servable not found for request: Latest(cats)"] == said["unknown model"]


def test_a_wrong_type_is_refused(said: Any) -> None:
    """With the text that clients look for."""
    expected = "Expects arg[0] to be float but complex64 is provided"

    assert ["INVALID_ARGUMENT", expected] == said["text"]
