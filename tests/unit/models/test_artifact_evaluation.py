"""What is measured of an artifact is what a server would serve of it."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from saccade_models.artifact_evaluation import evaluate_artifact, match_classes, read_temperature
from saccade_models.datasets import Dataset
from saccade_models.errors import ConfigError, ModelsError
from saccade_server import artifact as layout


@pytest.fixture(scope="module")
def read(artifact: Path) -> layout.Artifact:
    """A real artifact."""
    return layout.read_artifact(artifact)


def test_the_figures_are_those_of_the_training(read: layout.Artifact, digits: Dataset) -> None:
    """LiteRT answers as the SavedModel did, with and without the temperature."""
    report = evaluate_artifact(read, digits, "test")
    told = read.manifest.evaluation
    served, unscaled = report.evaluation.served, report.evaluation.unscaled

    assert ("litert", told.accuracy) == (report.engine, served.accuracy)
    assert pytest.approx(
        (told.metrics["loss"], told.metrics["loss_unscaled"], told.metrics["ece"]), abs=1e-3
    ) == (served.loss, unscaled.loss, served.ece)


def test_the_validation_split_can_be_measured(read: layout.Artifact, digits: Dataset) -> None:
    """The test split stays untouched."""
    report = evaluate_artifact(read, digits, "validation")

    assert ("validation", 288) == (report.split, report.evaluation.served.samples)


def test_an_artifact_without_a_form_runs_on_tensorflow(
    artifact: Path, few_digits: Dataset, tmp_path: Path
) -> None:
    """As a server does meanwhile."""
    copy = Path(shutil.copytree(artifact, tmp_path / "1"))
    manifest = layout.read_manifest(copy)
    del manifest.compiled[:]
    layout.write_manifest(copy, manifest)

    assert "tensorflow" == evaluate_artifact(layout.read_artifact(copy), few_digits, "test").engine


def test_classes_are_matched_by_their_labels(read: layout.Artifact, few_digits: Dataset) -> None:
    """A data set that lists them in another order is measured alike."""
    order = np.array([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])
    turned = dataclasses.replace(
        few_digits,
        class_labels=tuple(str(digit) for digit in order),
        test=dataclasses.replace(few_digits.test, labels=np.argsort(order)[few_digits.test.labels]),
    )
    reports = [evaluate_artifact(read, dataset, "test") for dataset in (few_digits, turned)]

    one, other = (report.evaluation.served.confusion().tolist() for report in reports)
    assert one == other


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (tuple("012345678"), "digits lacks '9'"),
        ((*"012345678", "nine"), "the artifact lacks 'nine'; digits lacks '9'"),
        (("cat", "dog"), "other classes \\(2\\) than the artifact \\(10\\)"),
    ],
)
def test_other_classes_are_refused(
    labels: tuple[str, ...], text: str, read: layout.Artifact, few_digits: Dataset
) -> None:
    """One line says what differs."""
    dataset = dataclasses.replace(few_digits, class_labels=labels)

    with pytest.raises(ConfigError, match=text):
        evaluate_artifact(read, dataset, "test")


def test_labels_that_occur_twice_cannot_be_matched(few_digits: Dataset) -> None:
    """Unless the data set has them in the same order."""
    twice = dataclasses.replace(few_digits, class_labels=("crane", "crane"))

    assert [0, 1] == match_classes(("crane", "crane"), twice).tolist()
    with pytest.raises(ConfigError, match="twice"):
        match_classes(("crane", "crane"), few_digits)


def test_an_artifact_of_strangers_has_no_temperature(read: layout.Artifact) -> None:
    """Its probabilities are taken as they are."""
    manifest = layout.read_manifest(read.path)
    manifest.evaluation.metrics.clear()

    assert 1 == read_temperature(dataclasses.replace(read, manifest=manifest)).value


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_an_impossible_temperature_is_refused(value: float, read: layout.Artifact) -> None:
    """The manifest was changed by hand, or damaged."""
    manifest = layout.read_manifest(read.path)
    manifest.evaluation.metrics["temperature"] = value

    with pytest.raises(ModelsError, match="temperature"):
        read_temperature(dataclasses.replace(read, manifest=manifest))
