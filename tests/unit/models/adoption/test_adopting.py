"""Adoption as a whole, on real models; what a server makes of the result: tests/integration."""

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures import tints
from fixtures.foreign_models import (
    break_object_graph,
    linear_scores,
    run_signature,
    save_keras,
    save_saved_model,
    softmax,
)
from saccade_models.adoption.adopting import Adopted, adopt
from saccade_models.adoption.config import AdoptionConfig
from saccade_models.errors import ConfigError, ModelsError
from saccade_models.golden import graph_batch
from saccade_models.inspection import open_artifact, verify
from saccade_server.artifact import read_artifact
from saccade_server.engines import load_engine


class Adopter:
    """Adopts into a repository of a test's own, and keeps what was told."""

    def __init__(self, folder: Path) -> None:
        self.repository = folder / "repository"
        self.told: list[str] = []

    def __call__(self, source: Path, **settings: Any) -> Adopted:
        config = AdoptionConfig(
            **{"source": source, "output": self.repository, "name": "flowers", **settings}
        )
        return adopt(config, self.told.append)

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.told if line.startswith("WARNING")]


@pytest.fixture
def adopter(tmp_path: Path) -> Adopter:
    return Adopter(tmp_path)


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel that gives logits of four classes for 8 x 8 pictures."""
    return save_saved_model(tmp_path_factory.mktemp("linear") / "m", linear_scores(4))


@pytest.fixture(scope="module")
def tinted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model for values from -1 to 1, BGR, and labelled pictures."""
    folder = tmp_path_factory.mktemp("tints")
    save_keras(tints.train_on_signed_bgr(), folder / "tints.keras")
    tints.write_folders(folder / "samples")
    return folder


def test_a_saved_model_keeps_every_byte(linear: Path, adopter: Adopter) -> None:
    """What was there is there unchanged; everything else is in assets.extra."""
    path = adopter(linear, range="unit", color="rgb").path
    before = {p.relative_to(linear): p.read_bytes() for p in linear.rglob("*") if p.is_file()}
    after = {p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()}

    assert before == {name: data for name, data in after.items() if name in before}
    assert {"assets.extra"} == {name.parts[0] for name in after if name not in before}


def test_an_adopted_artifact_verifies(linear: Path, adopter: Adopter) -> None:
    """As one of our own: checksums, warm-up requests and golden samples, on both engines."""
    found = verify(open_artifact(adopter(linear, range="unit", color="rgb").path))

    assert (2, 8, {"tensorflow", "litert"}) == (
        found.warmup_requests,
        found.samples,
        set(found.max_abs_errors),
    )


def test_the_next_version_is_taken(linear: Path, adopter: Adopter) -> None:
    """What is there already stays."""
    versions = [adopter(linear, range="unit", color="rgb").version for _ in range(2)]

    assert [1, 2] == versions


def test_what_must_be_guessed_is_told_loudly(linear: Path, adopter: Adopter) -> None:
    """With the flags that would say it."""
    done = adopter(linear)

    assert ("guessed", "guessed") == (done.choice.range_reason, done.choice.color_reason)
    assert [True, True, True] == [
        any(text in line for line in adopter.warnings)
        for text in ("GUESSED that the graph takes 0 to 1", "order rgb", "--range and --color")
    ]


def test_what_is_said_is_not_warned_about(linear: Path, adopter: Adopter, tmp_path: Path) -> None:
    """A call that says everything is quiet."""
    labels = tmp_path / "labels.txt"
    labels.write_text("rose\ntulip\ndaisy\nsun flower\n")

    done = adopter(linear, range="unit", color="rgb", labels=labels)

    assert ([], ["rose", "tulip", "daisy", "sun flower"]) == (
        adopter.told,
        list(done.manifest.class_labels),
    )


@pytest.mark.parametrize("logits", [True, False])
def test_logits_are_told_from_probabilities(logits: bool, adopter: Adopter, tmp_path: Path) -> None:
    """By running the graph; either way the server gives probabilities."""
    import tensorflow as tf

    run = linear_scores(4)
    source = save_saved_model(tmp_path / "m", run if logits else lambda p: tf.nn.softmax(run(p)))
    artifact = read_artifact(adopter(source, range="unit", color="rgb").path)
    values = np.random.default_rng(0).uniform(0, 1, (3, 8, 8, 3)).astype(np.float32)
    expected = run_signature(source, values)

    with closing(load_engine(artifact, "tensorflow")) as engine:
        answers = engine.predict(values)

    assert logits == artifact.output.logits
    np.testing.assert_allclose(answers, softmax(expected) if logits else expected, atol=1e-6)


def test_uint8_pixels_are_taken_as_they_are(adopter: Adopter, tmp_path: Path) -> None:
    """There is no other range for them, so none is guessed; both engines take the type."""
    source = save_saved_model(tmp_path / "m", linear_scores(4), dtype="uint8")

    done = adopter(source, color="rgb")
    artifact = read_artifact(done.path)

    assert ("uint8", "known", True) == (
        artifact.input.dtype.name,
        done.choice.range_reason,
        done.compiled,
    )


def test_labelled_samples_tell_range_and_colors(tinted: Path, adopter: Adopter) -> None:
    """The true ones win among ten; the table has them all, and their accuracy is kept."""
    done = adopter(tinted / "tints.keras", samples=tinted / "samples")
    chosen, evaluation = done.choice.preprocessing, done.manifest.evaluation

    assert ("signed", "bgr", "tried", "tried") == (
        chosen.range.name,
        chosen.color_space.value,
        done.choice.range_reason,
        done.choice.color_reason,
    )
    assert ("samples in samples", 200, True) == (
        evaluation.dataset,
        evaluation.samples,
        evaluation.accuracy > 0.95,
    )
    assert (10, tints.CLASSES) == (
        sum("accuracy" in line for line in adopter.told),
        tuple(done.manifest.class_labels),
    )


def test_too_few_samples_ask_for_the_flags(tinted: Path, adopter: Adopter, tmp_path: Path) -> None:
    """The table is told, then the flags; nothing is published."""
    samples = tints.write_folders(tmp_path / "few", count=1)

    with pytest.raises(ConfigError, match=r"^range must be given: the 10 samples"):
        adopter(tinted / "tints.keras", samples=samples, color="bgr")

    assert not adopter.repository.exists()


def test_samples_that_contradict_a_flag_are_told(tinted: Path, adopter: Adopter) -> None:
    """A flag is obeyed; that the model then guesses is told loudly."""
    adopter(tinted / "tints.keras", samples=tinted / "samples", range="pixels", color="rgb")

    assert any("no better than guessing" in line for line in adopter.warnings)


def test_golden_samples_are_of_the_samples(tinted: Path, adopter: Adopter) -> None:
    """One of each class, with its truth and with what the model answers to it."""
    done = adopter(tinted / "tints.keras", samples=tinted / "samples")
    golden = done.manifest.golden.samples

    assert [(label, label) for label in range(10)] == [
        (sample.truth, int(np.argmax(sample.probabilities))) for sample in golden
    ]


def test_damaged_pictures_are_skipped_and_counted(
    tinted: Path, adopter: Adopter, tmp_path: Path
) -> None:
    """One file that is no picture does not stop an adoption."""
    samples = Path(shutil.copytree(tinted / "samples", tmp_path / "samples"))
    (samples / tints.CLASSES[0] / "0000.png").write_bytes(b"no picture")

    adopter(tinted / "tints.keras", samples=samples)

    assert any("1 files" in line and "skipped" in line for line in adopter.told)


def test_unlabelled_samples_become_golden_ones(
    linear: Path, adopter: Adopter, tmp_path: Path
) -> None:
    """They tell nothing about the range; their truth is not known."""
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (20, 10), "red").save(tmp_path / "pictures" / "red.png")

    done = adopter(linear, samples=tmp_path / "pictures", range="unit", color="rgb")

    assert [-1] == [sample.truth for sample in done.manifest.golden.samples]


def test_the_original_keras_file_is_kept(tinted: Path, adopter: Adopter) -> None:
    """Beside the SavedModel that was exported of it, byte by byte."""
    done = adopter(tinted / "tints.keras", range="signed", color="bgr")
    kept = done.path / "assets.extra" / "original" / "tints.keras"

    assert (tinted / "tints.keras").read_bytes() == kept.read_bytes()


def test_a_frozen_graph_of_tensorflow_1_is_adopted(adopter: Adopter, tmp_path: Path) -> None:
    """Its weights are constants, and there is no folder `variables`."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        given = v1.placeholder(tf.uint8, (None, 8, 8, 3))
        ends = {"scores": linear_scores(4)(given)}
        builder = v1.saved_model.builder.SavedModelBuilder(str(tmp_path / "m"))
        signature = v1.saved_model.signature_def_utils.predict_signature_def({"image": given}, ends)
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map={"serving_default": signature}
        )
        builder.save()
    shutil.rmtree(tmp_path / "m" / "variables")

    done = adopter(tmp_path / "m", color="rgb")

    assert (True, 0) == (done.compiled, done.manifest.provenance.weights)


@pytest.mark.parametrize("damage", ["add_slot", "encoder", "NoneType"])
def test_a_graph_that_tensorflow_2_cannot_load_is_adopted(
    damage: str, adopter: Adopter, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """TensorFlow 1's loader opens it, without a word; LiteRT compiles it all the same."""
    import tensorflow as tf

    source = save_saved_model(tmp_path / "m", linear_scores(4))
    break_object_graph(source, damage)
    with pytest.raises(Exception, match=damage):
        tf.saved_model.load(str(source))

    done = adopter(source, range="unit", color="rgb")

    told = capfd.readouterr().err
    artifact = read_artifact(done.path)
    batch = graph_batch([sample.image for sample in artifact.golden_samples()], artifact.input)
    expected = softmax(run_signature(source, batch.astype(np.float32)))
    golden = [sample.probabilities for sample in done.manifest.golden.samples]
    assert (True, False) == (done.compiled, "deprecated" in told)
    np.testing.assert_allclose(golden, expected, atol=1e-5)


def test_a_graph_beyond_litert_is_served_by_tensorflow(adopter: Adopter, tmp_path: Path) -> None:
    """Why is told; the artifact has no compiled form."""
    import tensorflow as tf

    run = linear_scores(4)

    def eigen(pixels: Any) -> Any:
        square = tf.reduce_mean(pixels, 3)
        values = tf.linalg.eigvalsh(square @ tf.transpose(square, [0, 2, 1]))
        return run(pixels) + values[:, -1:]

    done = adopter(save_saved_model(tmp_path / "m", eigen), range="unit", color="rgb")

    assert (False, [], True) == (
        done.compiled,
        list(done.manifest.compiled),
        any(
            "TensorFlow only" in line and "lacks the operations" in line
            for line in adopter.warnings
        ),
    )


def test_open_sides_must_be_given(adopter: Adopter, tmp_path: Path) -> None:
    """Then they are the model's, on LiteRT too: its form is of no size before."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    kernel = tf.constant(random.normal(0, 1, (3, 3, 3, 4)).astype(np.float32))
    source = save_saved_model(
        tmp_path / "m",
        lambda p: tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(p, kernel, 2, "VALID")), [1, 2]),
        (None, None, None, 3),
    )
    with pytest.raises(ConfigError, match="height must be given"):
        adopter(source, range="unit", color="rgb")

    done = adopter(source, range="unit", color="rgb", height=12, width=10)

    assert (12, 10, True) == (done.manifest.input.height, done.manifest.input.width, done.compiled)


@pytest.mark.parametrize("wanted", ["fine", "coarse"])
def test_one_of_several_outputs_is_served(wanted: str, adopter: Adopter, tmp_path: Path) -> None:
    """The one that was named, on both engines; whatever the order of the others."""
    coarse, fine = linear_scores(3), linear_scores(5)
    source = save_saved_model(
        tmp_path / "m", lambda p: {"fine": fine(p), "coarse": coarse(p), "pixels": p}
    )

    done = adopter(source, range="unit", color="rgb", output_name=wanted)

    assert (True, {"fine": 5, "coarse": 3}[wanted]) == (
        done.compiled,
        len(done.manifest.class_labels),
    )


def test_independent_classes_are_refused(adopter: Adopter, tmp_path: Path) -> None:
    """Sigmoids: several may be true of one picture, and a server would not know."""
    import tensorflow as tf

    run = linear_scores(4)
    source = save_saved_model(tmp_path / "m", lambda pixels: tf.sigmoid(run(pixels)))

    with pytest.raises(ModelsError, match="sigmoid"):
        adopter(source, range="unit", color="rgb")


def test_answers_that_are_no_numbers_are_refused(adopter: Adopter, tmp_path: Path) -> None:
    """NaN, whatever the picture."""
    run = linear_scores(4)
    source = save_saved_model(tmp_path / "m", lambda pixels: run(pixels) * float("nan"))

    with pytest.raises(ModelsError, match="no numbers"):
        adopter(source, range="unit", color="rgb")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"labels": "a\nb\n"}, "labels must be 4 lines"),
        ({"labels": "a\n\nc\nd\n"}, "line 2"),
        ({"height": 9}, "height must be 8"),
        ({"color": "gray"}, "color must be one of rgb, bgr"),
        ({"signature": "predict"}, "signature must be one of"),
        ({"activation": "probabilities"}, "do not sum to 1"),
        ({"samples": Path("nowhere")}, "is not a folder"),
    ],
)
def test_flags_that_do_not_fit_are_named(
    wrong: dict[str, Any], reason: str, linear: Path, adopter: Adopter, tmp_path: Path
) -> None:
    """And nothing is left behind."""
    if "labels" in wrong:
        (tmp_path / "labels.txt").write_text(wrong["labels"])
        wrong = {"labels": tmp_path / "labels.txt"}

    with pytest.raises(ModelsError, match=reason):
        adopter(linear, **wrong)

    assert not adopter.repository.exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing", "does not exist"),
        ("model.onnx", "convert it to a SavedModel"),
        ("model.tflite", "adopt the SavedModel"),
        ("frozen.pb", "name the folder"),
        ("notes.txt", "no SavedModel's folder"),
        ("folder", "has no saved_model.pb"),
    ],
)
def test_what_is_no_model_is_refused(
    name: str, reason: str, adopter: Adopter, tmp_path: Path
) -> None:
    """The text says what to do instead."""
    if name == "folder":
        (tmp_path / name).mkdir()
    elif name != "nothing":
        (tmp_path / name).write_bytes(b"")

    with pytest.raises(ModelsError, match=reason):
        adopter(tmp_path / name)


@pytest.mark.parametrize("place", ["flowers/1", "raw"])
def test_a_model_inside_the_repository_is_refused(
    place: str, linear: Path, adopter: Adopter
) -> None:
    """A server would serve the original, without a manifest."""
    inside = Path(shutil.copytree(linear, adopter.repository / place))

    with pytest.raises(ModelsError, match="lie in each other"):
        adopter(inside, range="unit")


def test_a_repository_inside_the_model_is_refused(linear: Path, adopter: Adopter) -> None:
    """The copy would copy itself."""
    with pytest.raises(ModelsError, match="lie in each other"):
        adopter(linear, output=linear / "assets")
