"""The models that are served: made by the real code, once, and kept for later runs.

Run as a program, in a process of its own: TensorFlow's memory stays out of the measuring one.
"""

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np

from saccade.v1 import manifest_pb2
from saccade_models.config import TrainingConfig
from saccade_models.datasets import load_dataset
from saccade_models.export import export_artifact
from saccade_models.graph import INPUT, OUTPUT, SIGNATURE, write_graph
from saccade_models.networks import build_classifier
from saccade_models.quickening import quicken
from saccade_server import artifact as layout
from saccade_server.imaging import decode_image, graph_values
from saccade_server.loading import FormStore, compile_form

EPOCHS = 3
BATCH_IMAGES = 64
SIDE = 224
CLASSES = 1000
QUANTISED_ERROR = 0.5
"""Golden tolerance of quantised forms: here they are about speed; accuracy is for the export."""


def make_cnn(folder: Path) -> None:
    """The default network, trained on the digits for a moment."""
    dataset = load_dataset("digits")
    config = TrainingConfig(output=folder.parent.parent, name="cnn", epochs=EPOCHS)
    keras.utils.set_random_seed(config.seed)
    classifier = build_classifier(
        config.network, dataset.image_shape, len(dataset.class_labels), config.options
    )
    trainer = keras.Sequential([classifier])
    trainer.compile(
        optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    images = dataset.train.images[:].astype(np.float32)
    trainer.fit(images, dataset.train.labels, BATCH_IMAGES, EPOCHS, verbose=0)
    export_artifact(folder, classifier, config, dataset)
    _compile(folder)


def make_mobilenet(folder: Path) -> None:
    """MobileNetV2 with random weights: they cost what trained ones cost."""
    keras.utils.set_random_seed(1)
    images = keras.Input((SIDE, SIDE, 3), name="images")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    network = keras.applications.MobileNetV2(weights=None, classifier_activation=None)
    write_graph(keras.Model(images, network(scaled)), folder)
    (folder / layout.ASSETS).mkdir()
    layout.write_manifest(
        folder,
        manifest_pb2.Manifest(
            model="mobilenet",
            input=manifest_pb2.InputSpec(
                signature=SIGNATURE,
                name=INPUT,
                height=SIDE,
                width=SIDE,
                color_space=manifest_pb2.COLOR_SPACE_RGB,
                data_type=manifest_pb2.DATA_TYPE_FLOAT32,
                pixel_range=manifest_pb2.PixelRange(black=0, white=255),
                resize=manifest_pb2.RESIZE_RULE_BICUBIC,
            ),
            output=manifest_pb2.OutputSpec(
                name=OUTPUT, activation=manifest_pb2.ACTIVATION_PROBABILITIES
            ),
            class_labels=[str(index) for index in range(CLASSES)],
        ),
    )
    _compile(folder)


def make_quantised_cnn(folder: Path, quantization: str) -> None:
    """The same artifact as the small network's, with a quantised form in its form's place."""
    shutil.copytree(folder.parents[2] / "cnn" / "cnn" / "1", folder, dirs_exist_ok=True)
    manifest = layout.read_manifest(folder)
    manifest.golden.max_abs_error = QUANTISED_ERROR
    layout.write_manifest(folder, manifest)
    artifact = layout.read_artifact(folder)
    samples = [
        graph_values(decode_image(sample.image, artifact.input), artifact.input)
        for sample in artifact.golden_samples()
    ]
    typical = np.stack(samples).astype(np.float32)
    form = compile_form(artifact, quantization=quantization, samples=typical)
    place = FormStore(folder).find(artifact)
    assert place is not None, f"{folder} has no compiled form"
    place.write_bytes(form.data)
    layout.write_manifest(folder, manifest)


def make_quickened_cnn(folder: Path) -> None:
    """The same artifact as the small network's, with a form for MNN."""
    shutil.copytree(folder.parents[2] / "cnn" / "cnn" / "1", folder, dirs_exist_ok=True)
    quickened = quicken(layout.read_artifact(folder), force=True).path
    shutil.rmtree(folder)
    quickened.rename(folder)


def _compile(folder: Path) -> None:
    """Makes sure that there is a form for LiteRT."""
    artifact, store = layout.read_artifact(folder), FormStore(folder)
    if store.find(artifact) is None:
        store.keep(artifact, compile_form(artifact).data)


MAKERS: Mapping[str, Callable[[Path], None]] = {
    "cnn": make_cnn,
    "mobilenet": make_mobilenet,
    "cnn-dynamic": lambda folder: make_quantised_cnn(folder, "dynamic"),
    "cnn-int8": lambda folder: make_quantised_cnn(folder, "int8"),
    "cnn-mnn": make_quickened_cnn,
}
"""By the name of the repository. Variants need `cnn`, made before."""


def main() -> None:
    """Makes those that are missing: FOLDER NAME... gives FOLDER/NAME/MODEL/1."""
    root = Path(sys.argv[1])
    for name in sys.argv[2:]:
        if (root / name).exists():
            continue
        writing = root / f".writing-{name}"
        shutil.rmtree(writing, ignore_errors=True)
        # Where a variant looks for what it copies.
        folder = writing / name.partition("-")[0] / "1"
        folder.mkdir(parents=True)
        MAKERS[name](folder)
        writing.rename(root / name)


if __name__ == "__main__":
    main()
