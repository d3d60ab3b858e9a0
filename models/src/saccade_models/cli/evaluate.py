"""`saccade-models evaluate`."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from saccade_models.datasets import DATASETS, PictureForm, load_dataset
from saccade_models.errors import ConfigError, ModelsError
from saccade_server.artifact import ColorSpace, InputSpec

if TYPE_CHECKING:
    from saccade_models.report import Report

SUMMARY = "Measure an artifact on labelled images, as a server would answer them."
SPLITS = ("test", "validation")
SHOWN = 20


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares the artifact, what it is measured on, and where the report goes."""
    add = parser.add_argument
    add("artifact", type=Path, help="a version's folder")
    add("--dataset", choices=DATASETS, required=True, help="what to measure it on")
    add("--data-dir", type=Path, metavar="DIR", help="the folder that holds the data set")
    add("--split", choices=SPLITS, default="test", help="which part of it")
    add("--output", type=Path, metavar="DIR", help="write report.html and report.json there")
    add("--json", action="store_true", help="print the report as JSON")


def run(flags: argparse.Namespace) -> None:
    """Measures, writes the report where one is wanted, and prints the figures."""
    from saccade_models.artifact_evaluation import evaluate_artifact
    from saccade_models.inspection import open_artifact
    from saccade_models.report import build_document

    artifact = open_artifact(flags.artifact)
    if flags.output is not None and flags.output.resolve().is_relative_to(artifact.path.resolve()):
        raise ConfigError("output must not be inside the artifact: its files are checksummed")
    dataset = load_dataset(
        flags.dataset,
        flags.data_dir,
        form=graph_form(artifact.input) if DATASETS[flags.dataset].formless else None,
        tell=lambda text: print(text, file=sys.stderr),
    )
    report = evaluate_artifact(artifact, dataset, flags.split)
    if flags.output is not None:
        _write(flags.output, report)
    if flags.json:
        print(json.dumps(build_document(report), indent=1, ensure_ascii=False, allow_nan=False))
        return
    for line in describe(report):
        print(line)
    if flags.output is not None:
        print(f"report       {flags.output / 'report.html'}")


def graph_form(spec: InputSpec) -> PictureForm:
    """What a server makes of a picture for a graph; blue and red are changed over afterwards."""
    gray = spec.color_space is ColorSpace.GRAY
    return PictureForm(
        height=spec.height,
        width=spec.width,
        color="gray" if gray else "rgb",
        resize=spec.resize,
    )


def describe(report: "Report") -> Iterator[str]:
    """The figures for a terminal, a line each."""
    evaluation = report.evaluation
    figures, labels = evaluation.served, report.class_labels
    low, high = figures.interval
    yield f"model        {report.model} by {report.engine}"
    yield f"images       {figures.samples:,}: {report.dataset}, {report.split} split"
    yield (
        f"accuracy     {figures.accuracy:.2%} ({figures.correct:,} of {figures.samples:,}), "
        f"95 % interval {low:.2%} to {high:.2%}"
    )
    if figures.top_5 is not None:
        yield f"top 5        {figures.top_5:.2%}"
    yield f"loss         {figures.loss:.4f}; {evaluation.unscaled.loss:.4f} at temperature 1"
    yield f"calibration  error {figures.ece:.4f}; {evaluation.unscaled.ece:.4f} at temperature 1"
    yield f"temperature  {evaluation.temperature.value:.3f}: {evaluation.temperature.reason}"
    for truth, predicted, count in figures.confused(3):
        yield f"confused     {labels[truth]!r} taken for {labels[predicted]!r}: {count:,}"
    yield f"{'precision':>10}{'recall':>10}{'F1':>10}{'images':>10}  class"
    for label, one in list(zip(labels, figures.by_class(), strict=True))[:SHOWN]:
        cells = (f"{'-' if part is None else f'{part:.2%}':>10}" for part in _parts(one))
        yield f"{''.join(cells)}{one.support:>10,}  {label!r}"
    if len(labels) > SHOWN:
        yield f"... {len(labels) - SHOWN:,} classes more: --json has them all"


def _parts(one: object) -> Iterator[float | None]:
    return (getattr(one, name) for name in ("precision", "recall", "f1"))


def _write(folder: Path, report: "Report") -> None:
    from saccade_models.report import write_report

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_report(folder, report)
    except OSError as error:
        raise ModelsError(f"cannot write to {folder}: {error.strerror or error}") from error
