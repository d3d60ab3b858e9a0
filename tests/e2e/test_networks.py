"""Every network trains, is compiled, and is served with the answers that Keras gives."""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.networks import Trained, train_networks
from fixtures.server_process import ServerProcess
from saccade import Client
from saccade_models.networks import NETWORKS

pytestmark = pytest.mark.timeout(1800)

# All thirteen take two to three minutes, these seven nearly all of it: to trace, or to write.
DEEP = (
    "alexnet",
    "vgg16",
    "inception",
    "resnet50",
    "densenet121",
    "se-resnet50",
    "mobilenetv2",
)
NAMES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name in DEEP and not os.environ.get("SACCADE_TEST_DEEP_NETWORKS"),
            reason="deep networks are tested with SACCADE_TEST_DEEP_NETWORKS=1",
        ),
    )
    for name in NETWORKS
]
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def repository() -> Iterator[Path]:
    """Removed at once: it takes a gigabyte."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def trained(repository: Path) -> dict[str, Future[Trained]]:
    """By name; a network that could not be trained or exported raises in its own test."""
    deep = bool(os.environ.get("SACCADE_TEST_DEEP_NETWORKS"))
    return train_networks([name for name in NETWORKS if deep or name not in DEEP], repository)


@pytest.fixture(scope="module")
def client(
    repository: Path,
    trained: dict[str, Future[Trained]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """Of a server of all that was exported, which runs compiled forms only."""
    log = tmp_path_factory.mktemp("networks") / "log"
    process = ServerProcess(repository, "--engine=litert", log=log)
    try:
        process.wait_ready()
        with Client(process.grpc) as client:
            yield client
        assert 0 == process.stop(), process.log
    finally:
        process.kill()


def ask(client: Client, name: str, pixels: NDArray[np.uint8], classes: int) -> NDArray[np.float32]:
    """The probabilities of all classes, by index, for each image."""
    answers = client.classify(pixels, model=name, top_k=classes, timeout=120).raise_for_errors()
    scores = np.zeros((len(pixels), classes), np.float32)
    for answer in answers:
        for each in answer.classes:
            scores[answer.index, each.index] = each.score
    return scores


@pytest.mark.parametrize("name", NAMES)
def test_the_server_gives_the_answers_of_keras(
    name: str, trained: dict[str, Future[Trained]], client: Client
) -> None:
    """Of a real server, over the real client, for images that it was not trained on."""
    expected = trained[name].result()
    classes = expected.probabilities.shape[1]

    scores = ask(client, name, expected.pixels, classes)

    assert np.abs(expected.probabilities - scores).max() <= TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_the_answers_are_worth_comparing(name: str, trained: dict[str, Future[Trained]]) -> None:
    """They differ from image to image, by far more than the tolerance."""
    probabilities = trained[name].result().probabilities

    assert np.ptp(probabilities, axis=0).max() > 10 * TOLERANCE
