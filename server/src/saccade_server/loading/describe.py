"""What a manifest would say of a SavedModel that has none. Needs TensorFlow.

The graph tells its shapes, and by its answers whether these are probabilities. It does not tell
which range of values it wants or how its classes are called: that is guessed, and warned about.
`saccade-models adopt` makes an artifact of such a model without guesses.
"""

from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import json_format

from saccade.v1 import manifest_pb2 as pb
from saccade_server.engines.tensorflow import import_tensorflow
from saccade_server.errors import EngineError
from saccade_server.loading.forms import write_whole
from saccade_server.loading.undescribed import place_of

TRIAL_IMAGES = 4

_HELP = "make an artifact of it with `saccade-models adopt`"


def describe(artifact: Path, cache: Path) -> Path:
    """Writes what could be found out into the cache; gives the file.

    Raises:
        EngineError: The SavedModel cannot be loaded, or is no classifier of images.
        OSError: The cache cannot be written.
    """
    tensorflow = import_tensorflow()
    with tensorflow.compat.v1.Session(graph=tensorflow.Graph()) as session:
        try:
            meta = tensorflow.compat.v1.saved_model.load(session, ["serve"], str(artifact))
        except Exception as error:
            raise EngineError(f"TensorFlow cannot load the SavedModel: {error}") from error
        manifest = _read_signature(tensorflow, meta.signature_def)
        signature = meta.signature_def[manifest.input.signature]
        names = (
            signature.outputs[manifest.output.name].name,
            signature.inputs[manifest.input.name].name,
        )
        _try(session, names, manifest)
    text = json_format.MessageToJson(manifest, preserving_proto_field_name=True)
    return write_whole(place_of(artifact, cache), text.encode())


def _read_signature(tensorflow: Any, signatures: Any) -> pb.Manifest:
    """The manifest but for the classes."""
    known = {name: each for name, each in signatures.items() if not name.startswith("__")}
    name = "serving_default" if "serving_default" in known else next(iter(known), "")
    if not name or (name != "serving_default" and len(known) > 1):
        raise EngineError(f"it has no signature serving_default: {_HELP}")
    images = _only(known[name].inputs, "input")
    scores = _only(known[name].outputs, "output")
    given = known[name].inputs[images]
    shape = [dim.size for dim in given.tensor_shape.dim]
    kinds = {
        tensorflow.float32.as_datatype_enum: pb.DATA_TYPE_FLOAT32,
        tensorflow.uint8.as_datatype_enum: pb.DATA_TYPE_UINT8,
    }
    if given.dtype not in kinds or len(shape) != 4 or shape[0] != -1 or shape[3] not in (1, 3):
        raise EngineError(
            f"its input {images!r} is no batch of images, float32 or uint8 of shape (-1, height, "
            f"width, 1 or 3), but {shape}: {_HELP}"
        )
    if min(shape[1:3]) < 1:
        raise EngineError(f"its input {images!r} leaves the size of an image open: {_HELP}")
    kind = kinds[given.dtype]
    return pb.Manifest(
        format=1,
        input=pb.InputSpec(
            signature=name,
            name=images,
            height=shape[1],
            width=shape[2],
            color_space=pb.COLOR_SPACE_GRAY if shape[3] == 1 else pb.COLOR_SPACE_RGB,
            data_type=kind,
            pixel_range=pb.PixelRange(white=1 if kind == pb.DATA_TYPE_FLOAT32 else 255),
            resize=pb.RESIZE_RULE_BILINEAR,
        ),
        output=pb.OutputSpec(name=scores),
    )


def _only(tensors: Any, what: str) -> str:
    if len(tensors) != 1:
        raise EngineError(f"its signature has {len(tensors)} {what}s, not one: {_HELP}")
    (name,) = tensors
    return str(name)


def _try(session: Any, names: tuple[str, str], manifest: pb.Manifest) -> None:
    """Finds the number of classes, and whether the scores are probabilities, by noise."""
    spec = manifest.input
    channels = 1 if spec.color_space == pb.COLOR_SPACE_GRAY else 3
    noise = np.random.default_rng(0).random((TRIAL_IMAGES, spec.height, spec.width, channels))
    values = noise.astype(np.float32)
    if spec.data_type == pb.DATA_TYPE_UINT8:
        values = (noise * 255).astype(np.uint8)
    try:
        scores = np.asarray(session.run(names[0], {names[1]: values}))
    except Exception as error:
        raise EngineError(f"the graph fails: {error}") from error
    if scores.dtype != np.float32 or scores.ndim != 2 or len(scores) != TRIAL_IMAGES:
        raise EngineError(f"its output is no row of scores for each image: {_HELP}")
    if scores.shape[1] < 2:
        raise EngineError(f"its output is a single number for each image: {_HELP}")
    manifest.class_labels.extend(map(str, range(scores.shape[1])))
    is_share = bool(np.all(scores >= 0) and np.allclose(scores.sum(axis=1), 1, atol=1e-3))
    manifest.output.activation = pb.ACTIVATION_PROBABILITIES if is_share else pb.ACTIVATION_LOGITS
