"""Keras's own files: looked through before anything of them is built, then exported."""

import json
import shutil
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade_models.adoption.copying import check_space
from saccade_models.errors import ModelsError
from saccade_models.graph import INPUT, SIGNATURE

if TYPE_CHECKING:
    import h5py
    import keras
    import tensorflow as tf

HDF5_SUFFIXES = (".h5", ".hdf5")
SUFFIXES = (".keras", *HDF5_SUFFIXES)
MAX_CONFIG_BYTES = 64 << 20
OUTPUT = "scores"

# They hold code, or call code that is not a layer's.
CODE_CLASSES = frozenset({"Lambda", "__lambda__", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
CODE_MODULES = ("utils", "saving", "config", "export", "trainers", "datasets")


def export_keras_file(file: Path, folder: Path) -> "keras.Model":
    """Loads a `.keras` or `.h5` file without running code of it, and writes its SavedModel.

    The signature `serving_default` takes INPUT, of the type and shape that the model has, and gives
    OUTPUT, or `output_0`, `output_1`, ... of a model with several.

    Args:
        file: Of a whole model, not of its weights alone.
        folder: Is there and empty.

    Raises:
        ModelsError: The file is damaged, holds code or custom objects, or no whole model.
        OSError: A file can't be read or written.
    """
    check_space(file.stat().st_size, folder)
    _refuse_code(_read_config(file, folder), file.name)
    import keras

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = keras.saving.load_model(str(file), compile=False, safe_mode=True)
    except Exception as error:
        raise ModelsError(f"Keras cannot load {file}: {first_line(error)}") from error
    if len(getattr(model, "inputs", None) or []) != 1:
        count = len(getattr(model, "inputs", None) or [])
        raise ModelsError(f"{file} takes {count} inputs: an image classifier takes one")
    _write_saved_model(model, folder)
    return model


def scales_itself(model: "keras.Model") -> bool:
    """Whether there is a layer that brings pixels into a range."""
    import keras

    kinds = (keras.layers.Rescaling, keras.layers.Normalization)
    return any(
        isinstance(layer, kinds) or (hasattr(layer, "layers") and scales_itself(layer))
        for layer in model.layers
    )


def keep_original(file: Path, folder: Path) -> None:
    """Copies the file as it is into `folder`, which is made.

    Raises:
        OSError: It can't be read or written.
    """
    folder.mkdir(parents=True)
    shutil.copyfile(file, folder / file.name)


def first_line(error: BaseException) -> str:
    """What an error says, short enough for a terminal."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300]


def _write_saved_model(model: "keras.Model", folder: Path) -> None:
    import tensorflow as tf

    def serve(images: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        given = model(images, training=False)
        outputs = tf.nest.flatten(given)
        names = [f"output_{i}" for i in range(len(outputs))] if len(outputs) > 1 else [OUTPUT]
        # Half precision inside is the model's own; what is served is float32.
        return {
            name: tf.cast(output, tf.float32) if output.dtype.is_floating else output
            for name, output in zip(names, outputs, strict=True)
        }

    module = tf.Module()
    # What the function reads must hang on the module, or it would not be written.
    module.weights = [variable.value for variable in model.variables]
    given = model.inputs[0]
    spec = tf.TensorSpec((None, *given.shape[1:]), given.dtype, name=INPUT)
    try:
        function = tf.function(serve, input_signature=[spec])
        tf.saved_model.save(module, str(folder), signatures={SIGNATURE: function})
    except tf.errors.OpError as error:
        raise OSError(f"cannot write the SavedModel: {error.message}") from error


def _read_config(file: Path, folder: Path) -> Any:
    """The network's description, after a look at the parts that Keras will read."""
    import h5py

    try:
        if file.suffix == ".keras":
            return _read_archive(file, folder)
        with h5py.File(file, "r") as weights:
            _refuse_outside(weights, file.name)
            text = weights.attrs.get("model_config")
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ModelsError(f"{file} is damaged, or no file of Keras: {first_line(error)}") from error
    if text is None:
        raise ModelsError(
            f"{file} holds weights without their network: save the whole model, model.save(...)"
        )
    return json.loads(text)


def _read_archive(file: Path, folder: Path) -> Any:
    import h5py

    with zipfile.ZipFile(file) as archive:
        check_space(sum(member.file_size for member in archive.infolist()), folder)
        if archive.getinfo("config.json").file_size > MAX_CONFIG_BYTES:
            raise ModelsError(f"{file}: config.json is too large to be a network's")
        for name in archive.namelist():
            if name.endswith(HDF5_SUFFIXES):
                with archive.open(name) as stream, h5py.File(stream, "r") as weights:
                    _refuse_outside(weights, file.name)
        config = json.loads(archive.read("config.json"))
    # The optimizer and the losses are not loaded.
    return {key: value for key, value in config.items() if key != "compile_config"}


def _refuse_outside(group: "h5py.Group", file: str) -> None:
    """HDF5 can show the bytes of other files as its own."""
    import h5py

    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
            raise ModelsError(f"{file} takes {name!r} from another file: refused")
        child = group.get(name)
        if isinstance(child, h5py.Group):
            _refuse_outside(child, file)
        elif isinstance(child, h5py.Dataset) and child.external:
            raise ModelsError(f"{file} takes {name!r} from another file: refused")


def _refuse_code(config: Any, file: str) -> None:
    for part in _parts(config):
        name, module = str(part.get("class_name", "")), str(part.get("module") or "keras")
        package, *path = module.split(".")
        if name in CODE_CLASSES:
            kind = "Lambda layer" if "ambda" in name else name
            raise ModelsError(
                f"{file} has a {kind}: that is Python code, which is never run from a model's "
                "file; replace it by layers of Keras and save the model again"
            )
        inner = path[1:] if path[:1] == ["src"] else path
        # Registered names of strangers have a package: "flowers>Petals".
        registered = f"{name} {part.get('registered_name')}"
        custom = package not in ("keras", "builtins") or ">" in registered
        if custom or (inner[:1] and inner[0] in CODE_MODULES):
            raise ModelsError(
                f"{file} needs {module}.{name}, which is not a part of Keras: its code is not in "
                "the file; export the model as a SavedModel where that code is"
            )


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Everything in a description that names a class."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
