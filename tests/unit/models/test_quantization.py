"""What a quantised form costs is measured, and too much is refused."""

import dataclasses
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.clock import FakeClock
from saccade_models.config import QUANTIZATIONS, TrainingConfig
from saccade_models.datasets import Dataset, Split
from saccade_models.errors import ModelsError
from saccade_models.evaluation import Figures, evaluate
from saccade_models.provenance import command_line
from saccade_models.quantization import (
    SPEED_ROUNDS,
    QuantizedFigures,
    compare_speed,
    quantize,
    typical_values,
)
from saccade_server import artifact as layout
from saccade_server.engines import convert, load_engine
from saccade_server.errors import ArtifactError
from saccade_server.loading import Compiled, FormStore, compile_form, golden_of, verify_golden


class TimedEngine:
    """Each call takes the next of its times; the first of them only warms it up."""

    name = "timed"
    bounded = True

    def __init__(self, clock: FakeClock, *seconds: float) -> None:
        self._clock = clock
        self._seconds = iter(seconds)

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        self._clock.advance(next(self._seconds))
        return np.zeros((len(images), 10), np.float32)

    def close(self) -> None:
        pass


class Quantized(NamedTuple):
    """A form and what was measured."""

    form: Compiled
    figures: QuantizedFigures


Quantize = Callable[..., Quantized]


@pytest.fixture(scope="module")
def exact(artifact: Path) -> Compiled:
    """The form that is not quantised."""
    return compile_form(layout.read_artifact(artifact))


@pytest.fixture(scope="module")
def before(artifact: Path, digits: Dataset) -> Figures:
    """Of the SavedModel."""
    read = layout.read_artifact(artifact)
    with closing(load_engine(read, "tensorflow")) as engine:
        return evaluate(engine, digits.test, read.input)


@pytest.fixture(scope="module")
def make(artifact: Path, digits: Dataset, exact: Compiled, before: Figures) -> Quantize:
    """Quantises the shared artifact: (kind, dataset=..., force=...)."""

    def run(kind: str, dataset: Dataset = digits, **settings: Any) -> Quantized:
        config = TrainingConfig(output=artifact, name="digits", quantize=kind, **settings)
        read = layout.read_artifact(artifact)
        return Quantized(*quantize(read, dataset, config, exact=exact, before=before))

    return run


@pytest.fixture(scope="module")
def int8(make: Quantize) -> Quantized:
    """The most shrunken form."""
    return make("int8")


@pytest.fixture(scope="module")
def black(digits: Dataset) -> Dataset:
    """Its training split shows nothing: the ranges of activations taken from it are wrong."""
    train = Split(images=np.zeros_like(digits.train.images), labels=digits.train.labels)
    return dataclasses.replace(digits, train=train)


def publish(artifact: Path, folder: Path, form: Compiled, data: bytes) -> layout.Artifact:
    """A copy of the artifact that lists the form as an export does, with `data` as its file."""
    shutil.copytree(artifact, folder)
    manifest = layout.read_manifest(folder)
    assert form.golden is not None
    manifest.compiled[0].golden.CopyFrom(form.golden)
    manifest.compiled[0].quantization = "int8"
    (folder / manifest.compiled[0].path).write_bytes(data)
    layout.write_manifest(folder, manifest)
    return layout.read_artifact(folder)


def check(artifact: layout.Artifact, folder: Path) -> None:
    """The golden check, as a server does it."""
    form = FormStore(folder).find(artifact)
    with closing(load_engine(artifact, "litert", form=form)) as engine:
        verify_golden(artifact, engine, golden_of(artifact, form))


def test_the_kinds_are_those_of_the_converter() -> None:
    """Where none is asked for, the converter is told so by an empty name."""
    assert ("none", *convert.QUANTIZATIONS[1:]) == QUANTIZATIONS


def test_the_figures_are_those_of_the_form(
    artifact: Path, digits: Dataset, int8: Quantized, tmp_path: Path
) -> None:
    """Measured again, the form is right as often as is told, and as large."""
    file = tmp_path / "form"
    file.write_bytes(int8.form.data)
    read = layout.read_artifact(artifact)
    with closing(load_engine(read, "litert", form=file)) as engine:
        figures = evaluate(engine, digits.test, read.input)
    told = int8.figures.after

    assert (figures.correct, figures.loss, file.stat().st_size) == (
        told.correct,
        told.loss,
        int8.figures.bytes,
    )


def test_eight_bits_take_a_quarter(int8: Quantized) -> None:
    """Of the float form's size, and a little for the scales."""
    assert 0.24 < int8.figures.metrics()["quantized_size_ratio"] < 0.3


def test_a_form_that_loses_too_much_is_refused(make: Quantize, black: Dataset) -> None:
    """The text says how much, and what to do."""
    with pytest.raises(ModelsError, match=r"int8 is right less often by .* or --force"):
        make("int8", black)


def test_force_takes_a_form_that_loses_too_much(make: Quantize, black: Dataset) -> None:
    """Its figures tell the loss."""
    assert make("int8", black, force=True).figures.drop > 0.005


def test_the_same_seed_takes_the_same_typical_images(artifact: Path, digits: Dataset) -> None:
    """So the form can be made again."""
    read = layout.read_artifact(artifact)
    first, again, other = (typical_values(read, digits.train, seed) for seed in (3, 3, 4))

    assert (True, False) == (np.array_equal(first, again), np.array_equal(first, other))


def test_typical_images_are_of_the_training_split(artifact: Path, digits: Dataset) -> None:
    """The test split must not help the form that it measures."""
    typical = typical_values(layout.read_artifact(artifact), digits.train, 1)
    known = {image.astype(np.float32).tobytes() for image in digits.train.images[:]}

    assert (200, True) == (len(typical), {image.tobytes() for image in typical} <= known)


def test_a_server_takes_the_form_that_was_measured(
    artifact: Path, int8: Quantized, tmp_path: Path
) -> None:
    """It is off the graph's golden answers by more than those allow, but not off its own."""
    folder = tmp_path / "1"
    read = publish(artifact, folder, int8.form, int8.form.data)
    check(read, folder)

    assert int8.form.max_abs_error > read.manifest.golden.max_abs_error


def test_a_server_refuses_a_form_of_that_kind_that_is_wrong(
    artifact: Path, make: Quantize, black: Dataset, int8: Quantized, tmp_path: Path
) -> None:
    """Another form of the same graph in its place, with every checksum right."""
    wrong = make("int8", black, force=True).form.data
    folder = tmp_path / "1"
    read = publish(artifact, folder, int8.form, wrong)

    with pytest.raises(ArtifactError, match="other answers for the golden samples"):
        check(read, folder)


def test_a_server_refuses_another_form_where_a_very_wrong_one_was_forced(
    artifact: Path, make: Quantize, black: Dataset, int8: Quantized, tmp_path: Path
) -> None:
    """However wrong a form is, only that form passes for it."""
    forced = make("int8", black, force=True).form
    folder = tmp_path / "1"
    read = publish(artifact, folder, forced, int8.form.data)

    with pytest.raises(ArtifactError, match="other answers for the golden samples"):
        check(read, folder)


def test_a_form_with_fewer_golden_samples_is_refused(
    artifact: Path, int8: Quantized, tmp_path: Path
) -> None:
    """It would be checked less than the graph."""
    assert int8.form.golden is not None
    fewer = type(int8.form.golden)()
    fewer.CopyFrom(int8.form.golden)
    del fewer.samples[1:]

    with pytest.raises(ArtifactError, match="other golden samples than the graph"):
        publish(artifact, tmp_path / "1", dataclasses.replace(int8.form, golden=fewer), b"")


def test_the_command_tells_what_was_forced() -> None:
    """And how the form was quantised."""
    config = TrainingConfig(output=Path("r"), name="digits", quantize="float16", force=True)
    command = command_line(config)

    assert ("float16", "--force") == (command[command.index("--quantize") + 1], command[-1])


def test_the_speed_is_that_of_the_quickest_calls(digits: Dataset) -> None:
    """What disturbs the other calls, and the first one, does not count."""
    clock = FakeClock()
    slow = TimedEngine(clock, 99, 6, *[9] * SPEED_ROUNDS)
    quick = TimedEngine(clock, 99, *[8] * (SPEED_ROUNDS - 1), 2)

    assert 3 == compare_speed(slow, quick, digits.test, clock)
