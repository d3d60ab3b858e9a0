"""What is no image classifier is refused, with the reason; each SavedModel is a real one."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.foreign_models import linear_scores, save_saved_model, save_tensorflow_1
from saccade_models.adoption.signatures import Signature, read_signature
from saccade_models.errors import ConfigError, ModelsError


def test_the_signature_is_found(tmp_path: Path) -> None:
    """Names, type, shape and the number of classes."""
    folder = save_saved_model(tmp_path / "m", linear_scores(classes=4))

    assert Signature(
        name="serving_default", input="pixels", dtype="float32",
        height=8, width=8, channels=3, output="scores", classes=4,
    ) == read_signature(folder)  # fmt: skip


def test_the_only_signature_is_taken_whatever_its_name(tmp_path: Path) -> None:
    """As TensorFlow 1 exported them."""
    found = read_signature(save_tensorflow_1(tmp_path / "m"))

    assert ("predict_images", "image", "logits") == (found.name, found.input, found.output)


def test_open_sides_are_found_open(tmp_path: Path) -> None:
    """0 stands for them."""
    import tensorflow as tf

    folder = save_saved_model(
        tmp_path / "m", lambda pixels: tf.reduce_mean(pixels, [1, 2]), (None, None, None, 3)
    )
    found = read_signature(folder)

    assert (0, 0, 3, 3) == (found.height, found.width, found.channels, found.classes)


REFUSED: dict[str, tuple[Any, Any, str, str]] = {
    "rows": (lambda t, p: p @ t.ones((784, 3)), (None, 784), "float32", r"images are \(N, H, W, C"),
    "fixed batch": (
        lambda t, p: t.reshape(p, (1, -1)), (1, 8, 8, 3), "float32", "number of images",
    ),
    "channels first": (
        lambda t, p: t.reduce_mean(p, [2, 3]), (None, 3, 8, 8), "float32", "channels come first",
    ),
    "hyperspectral": (
        lambda t, p: t.reduce_mean(p, [1, 2]), (None, 8, 8, 7), "float32", "7 channels",
    ),
    "strings": (
        lambda t, p: t.strings.to_hash_bucket(p, 9), (None,), "string", "decodes the files itself",
    ),
    "doubles": (lambda t, p: t.reduce_mean(p, [1, 2]), (None, 8, 8, 3), "float64", "DT_DOUBLE"),
    "one class": (
        lambda t, p: t.reduce_mean(p, [1, 2, 3], keepdims=True)[:, :, 0, 0], (None, 8, 8, 3),
        "float32", "a single number",
    ),
    "segmentation": (lambda t, p: p, (None, 8, 8, 3), "float32", r"the shape \(\?, 8, 8, 3\)"),
    "indices": (
        lambda t, p: t.argmax(t.reduce_mean(p, [1, 2]), 1), (None, 8, 8, 3), "float32", "DT_INT64",
    ),
    "files": (
        lambda t, p: t.reduce_mean(p, [1, 2]) + t.cast(t.strings.length(t.io.read_file("x")),
        t.float32), (None, 8, 8, 3), "float32", "ReadFile",
    ),
    "python": (
        lambda t, p: t.ensure_shape(t.numpy_function(lambda x: x[:, 0, 0], [p], t.float32),
        (None, 3)), (None, 8, 8, 3), "float32", "PyFunc",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_image_classifier_is_refused(what: str, tmp_path: Path) -> None:
    """The text says why."""
    import tensorflow as tf

    function, shape, dtype, reason = REFUSED[what]
    folder = save_saved_model(tmp_path / "m", lambda pixels: function(tf, pixels), shape, dtype)

    with pytest.raises(ModelsError, match=reason):
        read_signature(folder)


def test_several_outputs_need_a_name(tmp_path: Path) -> None:
    """The text has them all; the named one is taken."""
    import tensorflow as tf

    folder = save_saved_model(
        tmp_path / "m",
        lambda pixels: {"coarse": tf.reduce_mean(pixels, [1, 2]), "fine": pixels[:, 0, 0]},
    )
    with pytest.raises(ConfigError, match="several: coarse, fine"):
        read_signature(folder)

    assert "fine" == read_signature(folder, output_name="fine").output


def test_a_single_output_of_scores_among_others_needs_none(tmp_path: Path) -> None:
    """Feature maps beside it are no scores."""
    folder = save_saved_model(
        tmp_path / "m", lambda pixels: {"features": pixels, "scores": pixels[:, 0, 0]}
    )

    assert "scores" == read_signature(folder).output


def test_several_inputs_are_refused(tmp_path: Path) -> None:
    """Pictures and something else: no picture alone can be classified."""
    import tensorflow as tf

    spec = tf.TensorSpec((None, 8, 8, 3), name="left"), tf.TensorSpec((None, 8, 8, 3), name="right")
    module = tf.Module()
    run = tf.function(lambda left, right: {"scores": (left - right)[:, 0, 0]}, input_signature=spec)
    tf.saved_model.save(module, str(tmp_path / "m"), run)

    with pytest.raises(ModelsError, match=r"takes 2 inputs \(left, right\)"):
        read_signature(tmp_path / "m")


def test_a_saved_model_without_signatures_is_refused(tmp_path: Path) -> None:
    """The text says how to save it."""
    import tensorflow as tf

    tf.saved_model.save(tf.Module(), str(tmp_path / "m"))

    with pytest.raises(ModelsError, match="has no signature"):
        read_signature(tmp_path / "m")


def test_an_unknown_signature_is_refused(tmp_path: Path) -> None:
    """The text names those that there are."""
    folder = save_saved_model(tmp_path / "m", linear_scores())

    with pytest.raises(ConfigError, match=r"\(serving_default\), got 'predict'"):
        read_signature(folder, "predict")


def test_damaged_bytes_are_refused(tmp_path: Path) -> None:
    """They may be anything."""
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\x00 no protobuf")

    with pytest.raises(ModelsError, match="damaged"):
        read_signature(tmp_path)
