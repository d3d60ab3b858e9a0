"""Models of strangers on the whole way: the real command, the real server, their own answers."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import StartServer
from fixtures import tints
from fixtures.foreign_models import (
    SIDE,
    break_object_graph,
    linear_scores,
    make_mobilenet,
    run_signature,
    save_keras,
    save_saved_model,
    save_tensorflow_1,
    softmax,
)
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_models.adoption.adopting import adopt
from saccade_models.adoption.config import AdoptionConfig

pytestmark = pytest.mark.timeout(300)

COMMAND = [sys.executable, "-m", "saccade_models"]
IMAGES = 3
ENGINES = ("litert", "tensorflow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """A repository of adopted models.

    Attributes:
        pictures: By model, pictures of its size, RGB.
        answers: By model, what it says of them itself: probabilities.
        adopted: What the command said when it adopted the model `mobilenet`.
    """

    repository: Path
    pictures: dict[str, NDArray[np.uint8]]
    answers: dict[str, Any]
    adopted: subprocess.CompletedProcess[str]


def signed(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """0 to 255 as -1 to 1, as Keras's MobileNetV2 wants them."""
    return pixels.astype(np.float32) / np.float32(127.5) - 1


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Strangers:
    """MobileNetV2, a `.keras`, a `.h5`, a graph of TensorFlow 1, and one that 2 can't load."""
    folder = tmp_path_factory.mktemp("strangers")
    repository = folder / "repository"
    random = np.random.default_rng(5)
    small = random.integers(0, 256, (IMAGES, 8, 8, 3)).astype(np.uint8)
    large = random.integers(0, 256, (IMAGES, SIDE, SIDE, 3)).astype(np.uint8)

    mobilenet, tinted = make_mobilenet(), tints.train_on_signed_bgr()
    mobilenet.export(folder / "mobilenet", verbose=False)
    old = save_tensorflow_1(folder / "old")
    broken = break_object_graph(save_saved_model(folder / "broken", linear_scores(4)))
    others: list[tuple[str, Path, dict[str, Any]]] = [
        ("keras", save_keras(tinted, folder / "model.keras"), {"range": "signed", "color": "bgr"}),
        ("hdf5", save_keras(tinted, folder / "model.h5"), {"range": "signed", "color": "bgr"}),
        ("old", old, {"scale": 1 / 255, "color": "rgb"}),
        ("broken", broken, {"scale": 1 / 255, "mean": (0.5, 0.4, 0.3), "color": "rgb"}),
    ]
    command = [*COMMAND, "adopt", folder / "mobilenet", "--name=mobilenet", "--range=signed"]
    with subprocess.Popen(
        [*map(str, command), f"--output={repository}", "--color=rgb"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for name, source, settings in others:
            config = AdoptionConfig(source=source, output=repository, name=name, **settings)
            adopt(config, lambda _: None)
        stdout, stderr = process.communicate()
    adopted = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
    unit = small.astype(np.float32) / 255
    from_tints = softmax(tinted(signed(small[..., ::-1])).numpy())
    return Strangers(
        repository=repository,
        pictures=dict.fromkeys(("keras", "hdf5", "old", "broken"), small) | {"mobilenet": large},
        answers={
            "mobilenet": mobilenet(signed(large), training=False).numpy(),
            "keras": from_tints,
            "hdf5": from_tints,
            "old": softmax(run_signature(old, unit, "predict_images")),
            "broken": softmax(run_signature(broken, unit - np.array([0.5, 0.4, 0.3], np.float32))),
        },
        adopted=adopted,
    )


def ask(address: str, model: str, pictures: NDArray[np.uint8], classes: int) -> NDArray[np.float32]:
    """The probabilities of all classes, by index, for each picture."""
    images = [
        pb.Image(
            pixels=pb.PixelTensor(
                height=one.shape[0], width=one.shape[1], channels=3, data=one.tobytes()
            )
        )
        for one in pictures
    ]
    request = pb.ClassifyRequest(images=images, top_k=classes)
    request.model.name = model
    with grpc.insecure_channel(address) as channel:
        stub: Any = ImageClassifierStub(channel)
        answer = stub.Classify(request, timeout=60)
    rows = [
        sorted(result.classification.classes, key=lambda c: c.index) for result in answer.results
    ]
    return np.array([[each.score for each in row] for row in rows], np.float32)


def test_the_command_says_what_became_of_it(strangers: Strangers) -> None:
    """One line on stdout; on stderr nothing but what was not said, the labels."""
    done = strangers.adopted
    line = (
        f"mobilenet version 1: 5 classes, {SIDE} x {SIDE} rgb (known), pixels become -1 to 1 "
        f"(known), LiteRT and TensorFlow, {strangers.repository}/mobilenet/1\n"
    )
    warning = "saccade-models: WARNING: no --labels: the classes are called 0, 1, 2, ...\n"

    assert (0, line, warning) == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_server_gives_the_models_own_answers(
    engine: str, strangers: Strangers, start_server: StartServer
) -> None:
    """On both engines, to 1e-4, for models whose answers differ from picture to picture."""
    server = start_server(strangers.repository, f"--engine={engine}")
    server.wait_ready()

    worst = {}
    for model, pictures in strangers.pictures.items():
        expected = strangers.answers[model]
        assert np.ptp(expected, axis=0).max() > 0.01
        answers = ask(server.grpc, model, pictures, expected.shape[1])
        worst[model] = float(np.abs(answers - expected).max())

    assert {} == {model: error for model, error in worst.items() if error > 1e-4}


@pytest.mark.parametrize(
    ("flags", "code"), [(["--color=cmyk"], 2), (["--scale=x"], 2), (["--range=unit"], 1)]
)
def test_what_cannot_be_adopted_is_one_line(flags: list[str], code: int, tmp_path: Path) -> None:
    """Wrong flags: exit code 2; no model: 1. Nothing is left behind."""
    done = subprocess.run(
        [*COMMAND, "adopt", str(tmp_path / "nothing"), "--name=x", f"--output={tmp_path / 'r'}",
         *flags],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (code, 1, False) == (
        done.returncode,
        done.stderr.count("\n"),
        (tmp_path / "r").exists(),
    )
