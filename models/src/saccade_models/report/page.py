"""A report as one HTML page that needs neither network nor scripts."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from saccade_models.evaluation import Figures
from saccade_models.report import charts, pictures
from saccade_models.report.content import Report

TEMPLATES = Path(__file__).parent / "templates"
MAX_GRID_CLASSES = 25
"""With more the numbers of the confusion matrix could not be read: it is drawn as a picture."""

MAX_MAP_CLASSES = 4000
"""With more the matrix would take hundreds of megabytes; the frequent confusions are listed."""

MAX_ROWS = 200
MAX_CONFUSED = 12
NONE = "–"


def build_page(report: Report) -> str:
    """The HTML text. Class labels, names and commands may hold anything: all text is escaped."""
    figures = report.evaluation.served
    text: str = (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            figures=figures,
            evaluation=report.evaluation,
            labels=report.class_labels,
            curves=charts.draw_training(report.history, report.exported_epoch),
            chart=charts,
            reliability=[
                ("As served", figures, charts.draw_reliability(figures.bins)),
                (
                    "At temperature 1",
                    report.evaluation.unscaled,
                    charts.draw_reliability(report.evaluation.unscaled.bins),
                ),
            ],
            grid=_grid(figures) if figures.classes <= MAX_GRID_CLASSES else None,
            heat_map=_heat_map(figures),
            confused=figures.confused(MAX_CONFUSED),
            rows=_rows(figures),
            mistakes=[
                (mistake, pictures.thumbnail(mistake.pixels), max(mistake.pixels.shape))
                for mistake in report.mistakes
            ],
            wrong=figures.samples - figures.correct,
            provenance=report.provenance,
        )
    )
    return text


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["number"] = lambda value, digits=4: f"{value:.{digits}f}"
    environment.filters["count"] = lambda value: f"{value:,}"
    return environment


def _percent(value: float | None, digits: int = 2) -> str:
    return NONE if value is None else f"{value * 100:.{digits}f}\u00a0%"


def _grid(figures: Figures) -> list[list[tuple[int, float]]]:
    """Counts with how strongly their cell is coloured, 0 to 100, by row."""
    matrix = figures.confusion()
    shares = np.sqrt(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)) * 100
    return [
        [(int(count), float(share)) for count, share in zip(*row, strict=True)]
        for row in zip(matrix, shares, strict=True)
    ]


def _heat_map(figures: Figures) -> str | None:
    if not MAX_GRID_CLASSES < figures.classes <= MAX_MAP_CLASSES:
        return None
    return pictures.heat_map(figures.confusion())


def _rows(figures: Figures) -> list[tuple[int, Any]]:
    """Index and figures by class; of very many classes the worst."""
    rows = list(enumerate(figures.by_class()))
    if len(rows) > MAX_ROWS:
        rows.sort(key=lambda row: 1.0 if row[1].f1 is None else row[1].f1)
    return rows[:MAX_ROWS]
