"""A report as JSON. models/README.md documents the keys; they are only ever added to."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format

from saccade_models.evaluation import ClassFigures, Figures
from saccade_models.evaluation.calibration import BINS
from saccade_models.report.content import Report

FORMAT = 1
MAX_MATRIX_CLASSES = 100
"""With more the matrix would be most of the file; the frequent confusions are listed anyway."""

MAX_CONFUSED = 100


def build_document(report: Report) -> dict[str, Any]:
    """What `report.json` holds."""
    figures = report.evaluation.served
    return {
        "format": FORMAT,
        "model": report.model,
        "dataset": report.dataset,
        "split": report.split,
        "engine": report.engine,
        "samples": figures.samples,
        "correct": figures.correct,
        "accuracy": figures.accuracy,
        "accuracy_interval_95": list(figures.interval),
        "top_5_accuracy": figures.top_5,
        "loss": figures.loss,
        "macro_f1": figures.macro_f1,
        "temperature": dataclasses.asdict(report.evaluation.temperature),
        "calibration": {
            "bins": BINS,
            "served": _calibration(figures),
            "unscaled": _calibration(report.evaluation.unscaled),
        },
        "classes": [
            _class(label, one)
            for label, one in zip(report.class_labels, figures.by_class(), strict=True)
        ],
        "confusion_matrix": (
            figures.confusion().tolist() if figures.classes <= MAX_MATRIX_CLASSES else None
        ),
        "confused": [
            {"truth": truth, "predicted": predicted, "samples": count}
            for truth, predicted, count in figures.confused(MAX_CONFUSED)
        ],
        "mistakes": [
            {
                "position": mistake.position,
                "truth": mistake.truth,
                "predicted": mistake.predicted,
                "confidence": mistake.confidence,
                "truth_probability": mistake.of_truth,
            }
            for mistake in report.mistakes
        ],
        "training": _training(report),
        "provenance": _provenance(report),
    }


def _calibration(figures: Figures) -> dict[str, Any]:
    return {
        "ece": figures.ece,
        "loss": figures.loss,
        "bins": [dataclasses.asdict(one) for one in figures.bins],
    }


def _class(label: str, figures: ClassFigures) -> dict[str, Any]:
    return {
        "label": label,
        "support": figures.support,
        "predicted": figures.predicted,
        "correct": figures.correct,
        "precision": figures.precision,
        "recall": figures.recall,
        "f1": figures.f1,
    }


def _training(report: Report) -> dict[str, Any] | None:
    if not report.history:
        return None
    return {
        "exported_epoch": report.exported_epoch or None,
        "epochs": [dataclasses.asdict(epoch) for epoch in report.history],
    }


def _provenance(report: Report) -> Mapping[str, Any]:
    told: dict[str, Any] = json_format.MessageToDict(
        report.provenance, preserving_proto_field_name=True
    )
    # Protobuf's JSON has 64-bit numbers as text.
    return {**told, "seed": report.provenance.seed, "weights": report.provenance.weights}
