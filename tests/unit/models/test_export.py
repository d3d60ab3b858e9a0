import hashlib
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from saccade.v1 import manifest_pb2
from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset
from saccade_models.errors import ModelsError
from saccade_models.evaluation import evaluate, measure
from saccade_models.evaluation.temperature import soften
from saccade_models.export import export_artifact
from saccade_server.artifact import Artifact, read_artifact
from saccade_server.engines import load_engine
from saccade_server.imaging import decode_image

if TYPE_CHECKING:
    import keras


@pytest.fixture(scope="module")
def exported(artifact: Path) -> Artifact:
    """A real artifact, read as a server reads it."""
    return read_artifact(artifact)


def test_the_input_says_how_an_image_becomes_the_graphs(exported: Artifact) -> None:
    """Pixels 0 to 255 go in as they are: the graph scales them."""
    assert manifest_pb2.InputSpec(
        signature="serving_default",
        name="images",
        height=28,
        width=28,
        color_space=manifest_pb2.COLOR_SPACE_GRAY,
        data_type=manifest_pb2.DATA_TYPE_FLOAT32,
        pixel_range=manifest_pb2.PixelRange(black=0, white=255),
        resize=manifest_pb2.RESIZE_RULE_BICUBIC,
    ) == (exported.manifest.input)


def test_the_output_is_probabilities(exported: Artifact) -> None:
    """A server must not apply a second softmax."""
    assert (
        manifest_pb2.OutputSpec(
            name="probabilities", activation=manifest_pb2.ACTIVATION_PROBABILITIES
        )
        == exported.manifest.output
    )


def test_the_classes_are_the_ten_digits(exported: Artifact) -> None:
    """By index."""
    assert tuple("0123456789") == exported.class_labels


def test_every_file_has_its_checksum(exported: Artifact) -> None:
    """All files but the manifest, which holds them."""
    present = {
        file.relative_to(exported.path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in exported.path.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }

    assert present == {file.path: file.sha256 for file in exported.manifest.files}


def test_the_golden_set_has_one_sample_of_each_class(exported: Artifact) -> None:
    """They are image files with ten probabilities each."""
    samples = exported.manifest.golden.samples

    assert [(f"golden/{label}.png", label, 10) for label in range(10)] == [
        (sample.path, sample.truth, len(sample.probabilities)) for sample in samples
    ]


def test_the_golden_images_are_from_the_test_split(exported: Artifact, digits: Dataset) -> None:
    """The first of each class; the training has not seen them."""
    pictures = [
        np.asarray(Image.open(exported.path / "assets.extra" / sample.path))
        for sample in exported.manifest.golden.samples
    ]
    first = [int(np.argmax(digits.test.labels == label)) for label in range(10)]

    assert np.array_equal(digits.test.images[:][first, :, :, 0], np.stack(pictures))


def test_a_server_decodes_the_images_that_were_trained_on(
    exported: Artifact, digits: Dataset
) -> None:
    """A PNG of the right size reaches the graph pixel by pixel as it was: there is no skew."""
    decoded = [decode_image(sample.image, exported.input) for sample in exported.golden_samples()]
    first = [int(np.argmax(digits.test.labels == label)) for label in range(10)]

    assert np.array_equal(digits.test.images[:][first], np.stack(decoded))


def test_the_figures_are_those_of_the_graph_on_the_test_split(
    exported: Artifact, digits: Dataset
) -> None:
    """Measured again, the written graph has the accuracy that the manifest tells."""
    with closing(load_engine(exported, "tensorflow")) as engine:
        figures = evaluate(engine, digits.test, exported.input)
    told = exported.manifest.evaluation

    assert ("digits test split", 360, figures.accuracy) == (
        told.dataset,
        told.samples,
        told.accuracy,
    )


def test_the_manifest_tells_how_far_the_figures_can_be_trusted(
    exported: Artifact, digits: Dataset
) -> None:
    """The accuracy's interval, the loss and the calibration, all of the graph as written."""
    with closing(load_engine(exported, "tensorflow")) as engine:
        figures = evaluate(engine, digits.test, exported.input)
    told = exported.manifest.evaluation.metrics

    assert (*figures.interval, figures.loss, figures.ece) == (
        told["accuracy_low_95"],
        told["accuracy_high_95"],
        told["loss"],
        told["ece"],
    )


def test_the_probabilities_are_calibrated(exported: Artifact, digits: Dataset) -> None:
    """No other temperature makes the loss on the validation split smaller."""
    with closing(load_engine(exported, "tensorflow")) as engine:
        served = engine.predict(digits.validation.images[:].astype(np.float32))
    labels = digits.validation.labels
    losses = [measure(soften(served, by), labels).loss for by in (0.95, 1, 1.05)]

    assert (True, True) == (
        losses[1] == min(losses),
        exported.manifest.evaluation.metrics["temperature"] != 1,
    )


def test_the_report_has_the_manifests_figures(exported: Artifact) -> None:
    """Both its files lie beside the manifest, and their checksums are in it."""
    report = json.loads((exported.path / "assets.extra/report.json").read_text())
    told = exported.manifest.evaluation

    files = {file.path for file in exported.manifest.files}

    assert (told.accuracy, told.metrics["ece"], told.metrics["temperature"], True) == (
        report["accuracy"],
        report["calibration"]["served"]["ece"],
        report["temperature"]["value"],
        {"assets.extra/report.json", "assets.extra/report.html"} <= files,
    )


def test_the_compiled_form_belongs_to_the_graph(exported: Artifact) -> None:
    """A server runs it without TensorFlow; it differs by less than the golden set allows."""
    (form,) = exported.manifest.compiled

    assert ("litert", True, True) == (
        form.engine,
        (exported.path / form.path).is_file(),
        form.max_abs_error <= exported.manifest.golden.max_abs_error,
    )


def test_the_weights_are_counted(exported: Artifact) -> None:
    """Those of the network, not of the optimizer."""
    assert 1_199_882 == exported.manifest.provenance.weights


def build_beyond_litert() -> "keras.Model":
    """A classifier by eigenvalues, for which LiteRT has no operation."""
    import keras

    images = keras.Input((28, 28, 1))
    square = keras.ops.squeeze(images, -1) / 255
    symmetric = square + keras.ops.transpose(square, (0, 2, 1))
    values, _ = keras.ops.eigh(symmetric)
    return keras.Model(images, keras.layers.Dense(10)(values))


def test_a_graph_beyond_litert_is_left_to_tensorflow(few_digits: Dataset, tmp_path: Path) -> None:
    """A training is not lost by it: the artifact is whole, and why is told."""
    config = TrainingConfig(output=tmp_path, name="digits")

    done = export_artifact(tmp_path, build_beyond_litert(), config, few_digits)

    artifact = read_artifact(tmp_path)
    assert (True, [], len(np.unique(few_digits.test.labels))) == (
        done.uncompiled.startswith("LiteRT lacks the operations"),
        list(artifact.manifest.compiled),
        len(artifact.golden_samples()),
    )


def test_a_graph_beyond_litert_cannot_be_quantized(few_digits: Dataset, tmp_path: Path) -> None:
    """What was asked for can't be had, and why is told."""
    config = TrainingConfig(output=tmp_path, name="digits", quantize="dynamic")

    with pytest.raises(ModelsError, match="cannot quantize: LiteRT lacks the operations"):
        export_artifact(tmp_path, build_beyond_litert(), config, few_digits)
