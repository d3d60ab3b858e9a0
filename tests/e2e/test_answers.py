"""The answers of a real server are those of the graph that was trained."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from conftest import StartServer
from fixtures.pictures import encode
from fixtures.server_process import ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_models.datasets import Split, load_dataset

IMAGES = 100
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def digits() -> Split:
    """Handwritten digits that the network has not seen."""
    test = load_dataset("digits").test
    return Split(images=test.images[:IMAGES], labels=test.labels[:IMAGES])


@pytest.fixture(scope="module")
def expected(artifact: Path, digits: Split) -> NDArray[np.float32]:
    """What TensorFlow itself computes from the exported graph, with nothing of the server's."""
    tf: Any = import_module("tensorflow")
    function = tf.saved_model.load(str(artifact)).signatures["serving_default"]
    (scores,) = function(tf.constant(digits.images, tf.float32)).values()
    result: NDArray[np.float32] = scores.numpy()
    return result


@pytest.fixture
def stub(server: ServerProcess) -> Iterator[Any]:
    """The native API of the shared server."""
    with grpc.insecure_channel(server.grpc) as channel:
        yield ImageClassifierStub(channel)


def as_file(pixels: NDArray[np.uint8]) -> pb.Image:
    """A digit as the bytes of a PNG file."""
    return pb.Image(encoded=encode(Image.fromarray(pixels[..., 0]), "PNG"))


def as_pixels(pixels: NDArray[np.uint8]) -> pb.Image:
    """A digit as it is."""
    height, width, channels = pixels.shape
    data = pixels.tobytes()
    tensor = pb.PixelTensor(height=height, width=width, channels=channels, data=data)
    return pb.Image(pixels=tensor)


def classify(stub: Any, images: list[pb.Image], batch: int) -> NDArray[np.float32]:
    """The probabilities of all classes, by index, from requests of so many images."""
    rows = []
    for start in range(0, len(images), batch):
        request = pb.ClassifyRequest(images=images[start : start + batch], top_k=10)
        for result in stub.Classify(request, timeout=60).results:
            row = np.zeros(10, np.float32)
            for each in result.classification.classes:
                row[each.index] = each.score
            rows.append(row)
    return np.stack(rows)


def test_the_graph_is_worth_comparing(expected: NDArray[np.float32], digits: Split) -> None:
    """It tells most digits, and its answers differ from each other."""
    right = np.mean(expected.argmax(axis=1) == digits.labels)

    assert right > 0.7


@pytest.mark.parametrize("batch", [1, 7, IMAGES])
def test_pixels_get_the_scores_of_the_graph(
    stub: Any, digits: Split, expected: NDArray[np.float32], batch: int
) -> None:
    """However many of them share a request."""
    images = list(map(as_pixels, digits.images[:]))

    assert np.abs(expected - classify(stub, images, batch)).max() < TOLERANCE


def test_files_get_the_scores_of_the_graph(
    stub: Any, digits: Split, expected: NDArray[np.float32]
) -> None:
    """Decoding a PNG file loses nothing."""
    images = list(map(as_file, digits.images[:]))

    assert np.abs(expected - classify(stub, images, 16)).max() < TOLERANCE


@pytest.mark.parametrize("engine", ["tensorflow", "litert"])
def test_every_engine_gives_the_scores_of_the_graph(
    start_server: StartServer,
    repository: Path,
    digits: Split,
    expected: NDArray[np.float32],
    engine: str,
) -> None:
    """The reference engine and the quick one."""
    server = start_server(repository, f"--engine={engine}")
    server.wait_ready()
    with grpc.insecure_channel(server.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        actual = classify(stub, list(map(as_pixels, digits.images[:])), 16)

    assert np.abs(expected - actual).max() < TOLERANCE


def test_the_best_classes_are_those_of_the_graph(
    stub: Any, digits: Split, expected: NDArray[np.float32]
) -> None:
    """In their order, each with its label and its score."""
    request = pb.ClassifyRequest(images=[as_pixels(digits.images[:][0])])
    (result,) = stub.Classify(request, timeout=60).results
    best = np.argsort(-expected[0])[:5]

    assert [
        (str(index), index, pytest.approx(expected[0, index], abs=TOLERANCE)) for index in best
    ] == [(each.label, each.index, each.score) for each in result.classification.classes]


def test_the_model_describes_itself(stub: Any) -> None:
    """Its labels, its accuracy on the test split, and how it was made."""
    answer = stub.GetModel(pb.GetModelRequest(), timeout=20)

    assert (list("0123456789"), "digits test split", 360, "cnn", 1_199_882) == (
        list(answer.class_labels),
        answer.evaluation.dataset,
        answer.evaluation.samples,
        answer.provenance.network,
        answer.provenance.weights,
    )
