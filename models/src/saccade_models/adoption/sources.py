"""Brings a stranger's model into the folder of a new version, whatever form it comes in."""

from dataclasses import dataclass
from pathlib import Path

from saccade_models.adoption.copying import copy_saved_model
from saccade_models.adoption.keras_files import (
    SUFFIXES,
    export_keras_file,
    keep_original,
    scales_itself,
)
from saccade_models.errors import ModelsError
from saccade_server.artifact import ASSETS, GRAPH, saved_model_sha256
from saccade_server.artifact.files import sha256

ORIGINAL = f"{ASSETS}/original"

OTHER_FORMS = {
    ".tflite": "a compiled form: adopt the SavedModel that it was made of",
    ".onnx": "an ONNX file: convert it to a SavedModel first, with onnx2tf",
    ".pb": "a single file: name the folder of the SavedModel (a frozen graph is none)",
    ".pt": "a file of PyTorch: export it to ONNX and convert that to a SavedModel first",
    ".pth": "a file of PyTorch: export it to ONNX and convert that to a SavedModel first",
}

# What TensorFlow Hub asks of models without any word: its common signatures for images.
USUAL_RANGE = "unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A model that has become a SavedModel.

    Attributes:
        kind: "SavedModel" or "Keras".
        network: The model's own name, where it has one.
        weights: Their number; 0 where they are constants of the graph.
        source_sha256: Of the file, or of the SavedModel's graph and variables.
        guess: The likeliest range's name, should nothing else tell it.
    """

    kind: str
    network: str
    weights: int
    source_sha256: str
    guess: str


def check_source(source: Path, output: Path) -> None:
    """Refuses what is no model before anything is written.

    Raises:
        ModelsError: There is nothing, or nothing that can be adopted, or source and repository lie
            in each other.
    """
    if not source.exists():
        raise ModelsError(f"{source} does not exist")
    place, repository = source.resolve(), output.resolve()
    if place.is_relative_to(repository) or repository.is_relative_to(place):
        raise ModelsError(
            f"{source} and the model repository {output} lie in each other: move the model to a "
            "place of its own first"
        )
    if source.is_dir():
        if not (source / GRAPH).is_file():
            raise ModelsError(
                f"{source} has no {GRAPH}: name the folder of a SavedModel, a .keras or a .h5 file"
            )
    elif source.suffix not in SUFFIXES:
        what = OTHER_FORMS.get(source.suffix, "no SavedModel's folder and no .keras or .h5 file")
        raise ModelsError(f"{source} is {what}")


def bring(source: Path, folder: Path) -> Brought:
    """Copies a SavedModel as it is, or exports a Keras file and keeps it beside the export.

    Args:
        source: See `check_source`.
        folder: Is there and empty.

    Raises:
        ModelsError: The model is damaged or must not be loaded.
        OSError: Something can't be read or written.
    """
    if source.is_dir():
        copy_saved_model(source, folder)
        return Brought(
            kind="SavedModel",
            network="",
            weights=count_weights(folder),
            source_sha256=saved_model_sha256(folder),
            guess=USUAL_RANGE,
        )
    model = export_keras_file(source, folder)
    keep_original(source, folder / ORIGINAL)
    return Brought(
        kind="Keras",
        network=str(model.name),
        weights=model.count_params(),
        source_sha256=sha256(folder / ORIGINAL / source.name),
        guess="pixels" if scales_itself(model) else USUAL_RANGE,
    )


def count_weights(folder: Path) -> int:
    """Numbers in a SavedModel's variables; 0 where it has none or they can't be listed."""
    import tensorflow as tf

    if not (folder / "variables" / "variables.index").is_file():
        return 0
    try:
        found = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    except (tf.errors.OpError, RuntimeError, ValueError):
        return 0
    # Text is bookkeeping: the object graph.
    types = found.get_variable_to_dtype_map()
    return sum(
        tf.TensorShape(shape).num_elements() or 0
        for name, shape in found.get_variable_to_shape_map().items()
        if types[name] != tf.string and not name.startswith("save_counter")
    )
