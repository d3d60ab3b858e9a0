"""Writes a report's files."""

import json
from pathlib import Path

from saccade_models.report.content import Report
from saccade_models.report.document import build_document
from saccade_models.report.page import build_page

JSON = "report.json"
PAGE = "report.html"


def write_report(folder: Path, report: Report) -> None:
    """Writes `report.json` and `report.html` into a folder that is there; old ones are replaced.

    Raises:
        OSError: They can't be written.
    """
    text = json.dumps(build_document(report), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / JSON).write_text(text + "\n", "utf-8")
    (folder / PAGE).write_text(build_page(report), "utf-8")
