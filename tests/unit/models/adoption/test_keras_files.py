"""Keras's own files, real ones, spoilt where they must be refused."""

import json
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fixtures.foreign_models import run_signature, save_keras
from saccade_models.adoption.keras_files import export_keras_file, scales_itself
from saccade_models.errors import ModelsError

if TYPE_CHECKING:
    import keras


def small_model(*layers: Any, **settings: Any) -> "keras.Model":
    """Logits of four classes from 8 x 8 pictures, by way of the given layers."""
    import keras

    given = keras.Input((8, 8, 3), **settings)
    end = keras.layers.Flatten()(keras.Sequential([given, *layers])(given) if layers else given)
    return keras.Model(given, keras.layers.Dense(4)(end))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the export goes."""
    folder = tmp_path / "export"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5"])
def test_the_export_answers_as_the_model(suffix: str, tmp_path: Path, folder: Path) -> None:
    """In each of Keras's formats."""
    model = small_model()
    values = np.random.default_rng(0).uniform(0, 1, (3, 8, 8, 3)).astype(np.float32)

    export_keras_file(save_keras(model, tmp_path / f"model{suffix}"), folder)

    np.testing.assert_allclose(model(values), run_signature(folder, values), atol=1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_is_refused(suffix: str, tmp_path: Path, folder: Path) -> None:
    """Its Python code would run on this machine."""
    import keras

    model = small_model(keras.layers.Lambda(lambda x: x / 255))

    with pytest.raises(ModelsError, match="has a Lambda layer: that is Python code"):
        export_keras_file(save_keras(model, tmp_path / f"model{suffix}"), folder)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_custom_layer_is_refused(suffix: str, tmp_path: Path, folder: Path) -> None:
    """Its code is not in the file, wherever it was registered."""
    import keras

    @keras.saving.register_keras_serializable(package="strangers")
    class Halve(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs / 2

    with pytest.raises(ModelsError, match=r"Halve|strangers"):
        export_keras_file(save_keras(small_model(Halve()), tmp_path / f"model{suffix}"), folder)


def rewrite(file: Path, change: dict[str, str]) -> Path:
    """Puts other text into the description of a `.keras` file."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = parts["config.json"].decode()
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    json.loads(text)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {**parts, "config.json": text.encode()}.items():
            archive.writestr(name, data)
    return file


@pytest.mark.parametrize("module", ["os", "keras.utils", "keras.src.saving.serialization_lib"])
def test_a_description_cannot_name_other_modules(module: str, tmp_path: Path, folder: Path) -> None:
    """A file can't have functions called that are no layer's: neither Python's nor Keras's."""
    file = save_keras(small_model(), tmp_path / "model.keras")
    rewrite(file, {'"keras.layers"': f'"{module}"'})

    with pytest.raises(ModelsError, match=f"needs {module}"):
        export_keras_file(file, folder)


def test_weights_from_another_file_are_refused(tmp_path: Path, folder: Path) -> None:
    """HDF5 would show the other file's bytes as the model's."""
    import h5py

    file = save_keras(small_model(), tmp_path / "model.h5")
    with h5py.File(file, "a") as weights:
        weights["model_weights/stranger"] = h5py.ExternalLink("/etc/hostname", "/x")

    with pytest.raises(ModelsError, match="from another file"):
        export_keras_file(file, folder)


def test_weights_alone_are_refused(tmp_path: Path, folder: Path) -> None:
    """There is no network in the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small_model().save_weights(tmp_path / "model.weights.h5")

    with pytest.raises(ModelsError, match="weights without their network"):
        export_keras_file(tmp_path / "model.weights.h5", folder)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_damaged_bytes_are_refused(suffix: str, tmp_path: Path, folder: Path) -> None:
    """They may be anything."""
    (tmp_path / f"model{suffix}").write_bytes(b"no model")

    with pytest.raises(ModelsError, match="damaged"):
        export_keras_file(tmp_path / f"model{suffix}", folder)


def test_an_archive_cut_short_is_refused(tmp_path: Path, folder: Path) -> None:
    """As after a broken download."""
    file = save_keras(small_model(), tmp_path / "model.keras")
    file.write_bytes(file.read_bytes()[:-500])

    with pytest.raises(ModelsError, match="damaged"):
        export_keras_file(file, folder)


def test_two_inputs_are_refused(tmp_path: Path, folder: Path) -> None:
    """A picture and something else."""
    import keras

    left, right = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    end = keras.layers.Flatten()(keras.layers.Subtract()([left, right]))
    file = save_keras(keras.Model([left, right], end), tmp_path / "model.keras")

    with pytest.raises(ModelsError, match="takes 2 inputs"):
        export_keras_file(file, folder)


def test_a_layer_that_scales_is_noticed() -> None:
    """Also within a model in the model: such a network takes pixels as they are."""
    import keras

    inside = keras.Sequential([keras.layers.Rescaling(1 / 255)])

    assert (True, False) == (scales_itself(small_model(inside)), scales_itself(small_model()))
