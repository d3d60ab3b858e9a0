import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saccade_models.report import Report, build_document
from saccade_models.report.content import MAX_MISTAKES
from saccade_models.report.document import MAX_MATRIX_CLASSES

README = Path(__file__).resolve().parents[4] / "models" / "README.md"
MakeReport = Callable[..., Report]


@pytest.fixture(scope="module")
def report(make_report: MakeReport) -> Report:
    """Of three classes."""
    return make_report(("rose", "tulip", "daisy"))


@pytest.fixture(scope="module")
def document(report: Report) -> dict[str, Any]:
    """What a reader of the file gets."""
    told: dict[str, Any] = json.loads(json.dumps(build_document(report), allow_nan=False))
    return told


def test_the_head_figures_are_the_evaluations(report: Report, document: dict[str, Any]) -> None:
    """Nothing is rounded."""
    served = report.evaluation.served

    assert {
        "samples": 200,
        "correct": served.correct,
        "accuracy": served.accuracy,
        "accuracy_interval_95": list(served.interval),
        "loss": served.loss,
        "macro_f1": served.macro_f1,
        "temperature": {"value": 2, "reason": "fitted on 90 images"},
    }.items() <= document.items()


def test_the_calibration_is_told_with_and_without_the_temperature(
    report: Report, document: dict[str, Any]
) -> None:
    """With all bins of the diagrams."""
    calibration = document["calibration"]

    assert (report.evaluation.served.ece, report.evaluation.unscaled.ece, 15, 200) == (
        calibration["served"]["ece"],
        calibration["unscaled"]["ece"],
        len(calibration["unscaled"]["bins"]),
        sum(one["samples"] for one in calibration["served"]["bins"]),
    )


def test_the_classes_sum_up_to_the_whole(document: dict[str, Any]) -> None:
    """Support and matrix hold every image once."""
    matrix = np.array(document["confusion_matrix"])

    assert ([200, 200], ["rose", "tulip", "daisy"], [*np.diag(matrix)]) == (
        [sum(one["support"] for one in document["classes"]), matrix.sum()],
        [one["label"] for one in document["classes"]],
        [one["correct"] for one in document["classes"]],
    )


def test_each_mistake_is_one(report: Report, document: dict[str, Any]) -> None:
    """Its position leads back to the image."""
    labels = report.evaluation.served.labels

    assert all(
        one["truth"] == labels[one["position"]] != one["predicted"]
        and one["confidence"] >= one["truth_probability"]
        for one in document["mistakes"]
    )


def test_only_the_surest_mistakes_are_kept(make_report: MakeReport) -> None:
    """The file stays small, however bad the model is."""
    report = make_report(tuple(map(str, range(30))), samples=3000)

    assert MAX_MISTAKES == len(build_document(report)["mistakes"])


def test_a_large_matrix_is_left_out(make_report: MakeReport) -> None:
    """It would be most of the file; the frequent confusions stay."""
    document = build_document(make_report(tuple(map(str, range(MAX_MATRIX_CLASSES + 1)))))

    assert (None, True) == (document["confusion_matrix"], len(document["confused"]) > 0)


def test_the_training_is_told_epoch_by_epoch(document: dict[str, Any]) -> None:
    """The learning curves can be drawn again."""
    training = document["training"]

    assert (3, [1, 2, 3], 0.55) == (
        training["exported_epoch"],
        [epoch["number"] for epoch in training["epochs"]],
        training["epochs"][1]["val_loss"],
    )


def test_without_a_history_there_is_no_training(make_report: MakeReport) -> None:
    """An artifact that is evaluated later does not know it."""
    assert build_document(make_report(("a", "b"), epochs=0))["training"] is None


def test_the_keys_are_documented(document: dict[str, Any]) -> None:
    """The README's table has every key of the first level, and no other."""
    table = README.read_text().split("### report.json")[1].split("\n## ")[0]

    assert set(document) == {
        key
        for line in re.findall(r"^\| (.*?) \|", table, re.M)
        for key in re.findall("`(.*?)`", line)
    }
